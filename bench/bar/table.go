package bar

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Run measures the bars and figures of s whose names match, prints them as a
// Markdown table, a row as soon as it is known, and returns how many are short. Below are the tables that
// match.
func Run(w io.Writer, s Suite, match *regexp.Regexp, rounds int) (short int) {
	fmt.Fprintf(w, "\n### %s\n\n| what | distkit | peer | ratio | limit | |\n|---|---|---|---|---|---|\n", s.Package)
	verdict := func(ok bool) string {
		if ok {
			return "pass"
		}
		short++
		return "**short**"
	}
	for _, b := range s.Bars {
		if !match.MatchString(b.Name) {
			continue
		}
		c := b.measure(rounds)
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", b.Name, b.ours(c), b.theirs(c), b.ratio(c), b.bound(), verdict(b.passes(c)))
	}
	for _, f := range s.Figures {
		if !match.MatchString(f.Name) {
			continue
		}
		v, sign, ok := f.Measure(), "≤", false
		if ok = v <= f.Limit; f.AtLeast {
			sign, ok = "≥", v >= f.Limit
		}
		fmt.Fprintf(w, "| %s | %.4g %s | | | %s %.4g %s | %s |\n", f.Name, v, f.Unit, sign, f.Limit, f.Unit, verdict(ok))
	}
	for _, t := range s.Tables {
		if match.MatchString(t.Name) {
			t.print(w)
		}
	}
	return short
}

func (t Table) print(w io.Writer) {
	fmt.Fprintf(w, "\n#### %s\n\n", t.Name)
	for i, row := range t.Rows() {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
}

func (b Bar) ours(c contest) string {
	if b.Allocs < 0 {
		return duration(c.ours)
	}
	return fmt.Sprintf("%s, %.3g allocs", duration(c.ours), c.allocs)
}

func (b Bar) theirs(c contest) string {
	if b.Peer.New == nil {
		return ""
	}
	return b.Peer.Impl + " " + duration(c.peer)
}

func (b Bar) ratio(c contest) string {
	if b.Peer.New == nil {
		return ""
	}
	return fmt.Sprintf("%.3gx", c.ours/c.peer)
}

func (b Bar) bound() string {
	s := "≤ "
	switch {
	case b.Limit > 0 && b.Plus > 0:
		s += fmt.Sprintf("%.3gx + %s", b.Limit, duration(b.Plus))
	case b.Plus > 0:
		s += duration(b.Plus)
	default:
		s += fmt.Sprintf("%.3gx", b.Limit)
	}
	if b.Allocs >= 0 {
		s += fmt.Sprintf(", %.3g allocs", b.Allocs)
	}
	return s
}

func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.3g ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	}
	return fmt.Sprintf("%.3g ms", ns/1e6)
}
