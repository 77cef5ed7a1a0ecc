// Command carts keeps one shopping cart on three phones that are mostly offline,
// and draws what happened: edits stand in the column of their phone and arrows
// hand over the cart. Deleting removes what the deleter had seen and no more, and
// edits that did not see each other stand side by side until somebody settles.
//
//	go run ./examples/carts      # plays a story
//	go run ./examples/carts -    # reads one: "ann milk=2", "ann milk=0", "ann milk=?", "ann > bob"
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/shiviz"
)

const story = "ann milk=1\nann > bob\nbob > eve\n" + // everybody has it
	"ann jam=1\nbob milk=0\neve milk=2\neve jam=3\n" + // offline
	"eve > bob\nbob > ann\nann jam=?\nann > bob\nann > eve\n"

var names = []string{"ann", "bob", "eve"}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("carts:", err)
	}
}

// phone is one replica. Every item has siblings of its own: quantities.
type phone struct {
	*shiviz.Process
	cart map[string]vclock.Siblings[int]
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		in = strings.NewReader(story)
	} else if !slices.Equal(args, []string{"-"}) {
		return fmt.Errorf("arguments are %q, want none or -", args)
	}
	var phones []phone
	for _, name := range names {
		p, err := shiviz.NewProcess(name)
		if err != nil {
			return err
		}
		phones = append(phones, phone{p, map[string]vclock.Siblings[int]{}})
	}
	fmt.Fprintln(out, row(names...))
	var events []shiviz.Event
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		who, what, _ := strings.Cut(lines.Text(), " ")
		whom, send := strings.CutPrefix(what, "> ")
		from, to := slices.Index(names, who), slices.Index(names, whom)
		if from < 0 || send && (to < 0 || to == from) {
			return fmt.Errorf("line is %q, want one of %v and an edit, or > and another of them", lines.Text(), names)
		}
		p, picture := phones[from], ""
		if send {
			sent := p.Send()
			events = append(events, shiviz.Event{Host: who, Text: what, Clock: sent})
			for item, theirs := range p.cart {
				phones[to].cart[item] = phones[to].cart[item].Merge(theirs)
			}
			p, what, picture = phones[to], "< "+who, arrow(from, to)
			p.Receive(sent)
		} else if err := p.edit(what); err != nil {
			return err
		} else {
			picture = row(slices.Replace(make([]string, len(names)), from, from+1, what)...)
			p.Local()
		}
		events = append(events, shiviz.Event{Host: p.ID(), Text: what, Clock: p.Clock()})
		fmt.Fprintln(out, picture, p.Clock())
	}
	report(out, events, phones)
	return cmp.Or(lines.Err(), shiviz.Check(slices.Values(events)))
}

// edit sets the quantity of an item; 0 deletes it and ? settles on the largest.
func (p phone) edit(what string) error {
	item, quantity, _ := strings.Cut(what, "=")
	s := p.cart[item]
	switch n, err := strconv.Atoi(quantity); {
	case quantity == "?":
		s = s.Reconcile(p.ID(), slices.Max[[]int])
	case err != nil || n < 0:
		return fmt.Errorf("edit is %q, want item=n, item=0 or item=?", what)
	case n == 0:
		s = s.Discard(s.Context())
	default:
		s, _ = s.Put(s.Context(), p.ID(), n)
	}
	p.cart[item] = s
	return nil
}

// report says which edits of one item did not see each other, and what is left.
func report(out io.Writer, events []shiviz.Event, phones []phone) {
	for a, b := range shiviz.Concurrent(slices.Values(events)) {
		if item, _, edit := strings.Cut(a.Text, "="); edit && strings.HasPrefix(b.Text, item+"=") {
			fmt.Fprintf(out, "concurrent: %s %s and %s %s\n", a.Host, a.Text, b.Host, b.Text)
		}
	}
	for _, p := range phones {
		fmt.Fprint(out, p.ID(), " has")
		for _, item := range slices.Sorted(maps.Keys(p.cart)) {
			for n := range p.cart[item].Values() {
				fmt.Fprintf(out, " %s=%d", item, n)
			}
		}
		fmt.Fprintln(out)
	}
}

// row draws a line of the diagram, with a bar in columns where nothing happens.
func row(cells ...string) string {
	line := bytes.Repeat([]byte(" "), 12*len(cells))
	for i, cell := range cells {
		cell = cmp.Or(cell, "|")
		copy(line[12*i+max(0, 6-len(cell)/2):], cell)
	}
	return string(line)
}

// arrow draws a line with an arrow from one column to another.
func arrow(from, to int) string {
	line := []byte(row(make([]string, len(names))...))
	x, y := 12*from+6, 12*to+6
	if x < y {
		copy(line[x:], "o"+strings.Repeat("-", y-x-2)+">o")
	} else {
		copy(line[y:], "o<"+strings.Repeat("-", x-y-2)+"o")
	}
	return string(line)
}
