// Command uniques counts the unique visitors of every hour on every server, sends
// the sketches to one place, and merges them to days: nobody counts twice, neither
// for two servers nor for two hours, and no list of visitors leaves a server.
//
//	go run ./examples/uniques
//	go run ./examples/uniques server1/access.log server2/access.log
//
// Files are access logs in the common or combined format, one a server, and - is
// standard input. Without any, three servers and three days are made up.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/distkit/distkit/hll"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("uniques:", err)
	}
}

func run(names []string, in io.Reader, out io.Writer) error {
	open := func(name string) (io.ReadCloser, error) {
		if name == "-" {
			return io.NopCloser(in), nil
		}
		return os.Open(name)
	}
	if len(names) == 0 {
		names, open = []string{"alpha", "beta", "gamma"}, invent
	}
	total, sent := hours{}, 0
	for _, name := range names {
		f, err := open(name)
		if err != nil {
			return err
		}
		server := hours{}
		line, err := server.read(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		size, err := total.receive(server)
		if err != nil {
			return err
		}
		sent += size
	}
	return total.report(out, fmt.Sprintf("sent by %d servers: %d KB of sketches", len(names), sent/1000))
}

// hours are the visitors of every hour, UTC.
type hours map[time.Time]*hll.Sketch

// read adds the visitors of an access log, and returns how many lines it read.
func (h hours) read(log io.Reader) (n int, err error) {
	r := bufio.NewScanner(log)
	for ; r.Scan(); n++ {
		visitor, rest, _ := strings.Cut(r.Text(), " ")
		_, rest, _ = strings.Cut(rest, "[")
		stamp, _, _ := strings.Cut(rest, "]")
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", stamp)
		if err != nil {
			return n + 1, err
		}
		hour := at.UTC().Truncate(time.Hour)
		if h[hour] == nil {
			if h[hour], err = hll.New(14); err != nil {
				return n, err
			}
		}
		h[hour].AddString(visitor)
	}
	return n, r.Err()
}

// receive merges what a server sends, image by image, and returns their size.
func (h hours) receive(server hours) (size int, err error) {
	for hour, s := range server {
		image, err := s.MarshalBinary()
		arrived := new(hll.Sketch)
		err = errors.Join(err, arrived.UnmarshalBinary(image))
		if err == nil && h[hour] != nil {
			err = arrived.Merge(h[hour])
		}
		if err != nil {
			return size, err
		}
		h[hour] = arrived
		size += len(image)
	}
	return size, nil
}

// report prints a line a day, one for all, and a summary.
func (h hours) report(out io.Writer, summary string) error {
	fmt.Fprintf(out, "%-12s%9s%8s  %s\n", "day", "visitors", "error", "by the hour, 0 to 23 UTC")
	days := map[string][]*hll.Sketch{"all": slices.Collect(maps.Values(h))}
	bars, largest := map[string][]rune{}, uint64(1)
	for _, s := range h {
		largest = max(largest, s.Estimate())
	}
	for hour, s := range h {
		day := hour.Format(time.DateOnly)
		if days[day] == nil {
			bars[day] = []rune("  " + strings.Repeat("·", 24))
		}
		days[day] = append(days[day], s)
		bars[day][2+hour.Hour()] = []rune("▁▂▃▄▅▆▇█")[min(8*s.Estimate()/largest, 7)]
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		u, err := hll.Union(days[day]...)
		if err != nil {
			return err // there are no hours at all
		}
		fmt.Fprintf(out, "%-12s%9d%6.1f %%%s\n", day, u.Estimate(), 100*u.RelativeError(), string(bars[day]))
	}
	_, err := fmt.Fprintln(out, summary)
	return err
}

// invent makes up the log of one of three servers: 30,000 people a day, of whom two
// thirds come back the next, more of them in the evening, to whichever server.
func invent(server string) (io.ReadCloser, error) {
	var b strings.Builder
	rng := rand.New(rand.NewPCG(uint64(server[0]), 1))
	for hour := range 72 {
		at := time.Date(2026, 5, 1, hour, 0, 0, 0, time.UTC).Format("02/Jan/2006:15:04:05 -0700")
		for range int(1000 * (1.2 - math.Cos(2*math.Pi*float64(hour-6)/24))) {
			person := hour/24*10_000 + rng.IntN(30_000)
			fmt.Fprintf(&b, "10.1.%d.%d - - [%s] \"GET / HTTP/1.1\" 200 2326\n", person/256, person%256, at)
		}
	}
	return io.NopCloser(strings.NewReader(b.String())), nil
}
