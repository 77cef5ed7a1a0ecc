package ratelimit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// periods are the names of periods that may stand without a number, and what
// String writes for them, which comes first.
var periods = []struct {
	period time.Duration
	names  []string
}{
	{day, []string{"day", "d"}},
	{time.Hour, []string{"h", "hour"}},
	{time.Minute, []string{"m", "min", "minute"}},
	{time.Second, []string{"s", "sec", "second"}},
	{time.Millisecond, []string{"ms"}},
	{time.Microsecond, []string{"us", "µs"}},
	{time.Nanosecond, []string{"ns"}},
}

// ParseLimit returns the limit that s says: events, a slash, a period, and
// perhaps a burst, as in
//
//	100/s   5/10s   7/day   3/1m30s   1000/h;burst=50   20/7d   unlimited
//
// The period is a unit (ns, us, ms, s or sec or second, m or min or minute, h or
// hour, d or day), a number of days as in 7d, or what time.ParseDuration takes.
// Without a burst, Burst is Events. The error wraps [ErrInvalidLimit].
//
// What it returns, New accepts.
func ParseLimit(s string) (Limit, error) {
	if s == "unlimited" {
		return unlimited, nil
	}
	fail := func(want string) (Limit, error) {
		return Limit{}, fmt.Errorf("%w: %.64q: want %s, as in 100/s or 1000/h;burst=50", ErrInvalidLimit, s, want)
	}
	rate, burst, hasBurst := strings.Cut(s, ";")
	events, period, ok := strings.Cut(rate, "/")
	if !ok {
		return fail("events, a slash and a period")
	}
	var l Limit
	if l.Events, ok = parseCount(events); !ok {
		return fail("a positive number of events")
	}
	if l.Period, ok = parsePeriod(period); !ok {
		return fail("a positive period")
	}
	l.Burst = l.Events
	if hasBurst {
		number, named := strings.CutPrefix(burst, "burst=")
		if l.Burst, ok = parseCount(number); !ok || !named {
			return fail("burst= and a positive number after the semicolon")
		}
	}
	if _, err := newRule(l, TokenBucket, 0); err != nil {
		return Limit{}, fmt.Errorf("%w, in %.64q", err, s)
	}
	return l, nil
}

// parseCount parses a positive decimal number without a sign.
func parseCount(s string) (int64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}

func parsePeriod(s string) (time.Duration, bool) {
	for _, p := range periods {
		if slices.Contains(p.names, s) {
			return p.period, true
		}
	}
	if number, ok := strings.CutSuffix(s, "d"); ok {
		days, ok := parseCount(number)
		return time.Duration(days) * day, ok && days <= int64(1<<63-1)/int64(day)
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0
}

// String returns l in the form that [ParseLimit] parses back to the same limit.
func (l Limit) String() string {
	if l == unlimited {
		return "unlimited"
	}
	s := strconv.FormatInt(l.Events, 10) + "/" + formatPeriod(l.Period)
	if l.Burst != 0 && l.Burst != l.Events {
		s += ";burst=" + strconv.FormatInt(l.Burst, 10)
	}
	return s
}

func formatPeriod(d time.Duration) string {
	for _, p := range periods {
		if d == p.period {
			return p.names[0]
		}
	}
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// MarshalText returns String, or an error for a limit that New would refuse.
func (l Limit) MarshalText() ([]byte, error) {
	if _, err := newRule(l, TokenBucket, 0); err != nil {
		return nil, err
	}
	return []byte(l.String()), nil
}

// UnmarshalText sets l to what [ParseLimit] returns for text.
func (l *Limit) UnmarshalText(text []byte) error {
	parsed, err := ParseLimit(string(text))
	if err != nil {
		return err
	}
	*l = parsed
	return nil
}
