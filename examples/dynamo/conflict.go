package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
)

// Both sides of a cut write this many keys, of that prefix.
const (
	cutKeys   = 100
	cutPrefix = "both/"
)

// CutReport says what became of writes of the same keys on both sides of a cut.
type CutReport struct {
	One, Both, None int // sides that took a key's write
	Siblings        int // keys with a conflict afterwards
}

// conflict writes the same keys on both sides of a cut, each side without having
// seen the other's write. It notes them in the history.
func (d *driver) conflict(ctx context.Context, query string, sides [][]string) (report CutReport, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range d.clients {
		wg.Go(func() {
			for i := worker; i < cutKeys; i += d.clients {
				took, e := d.conflictOn(ctx, fmt.Sprint(cutPrefix, i), query, sides)
				mu.Lock()
				switch took {
				case 0:
					report.None++
				case 1:
					report.One++
				default:
					report.Both++
				}
				err = errors.Join(err, e)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return report, err
}

func (d *driver) conflictOn(ctx context.Context, key, query string, sides [][]string) (took int, err error) {
	for i, side := range sides {
		client := *d.client
		client.Query, client.Once, client.Name = query, true, fmt.Sprintf("side-%d", i+1)
		client.Sees = func(name string) bool { return slices.Contains(side, name) }
		// What the side itself has is all that it can have seen.
		seen, err := client.Get(ctx, key, vclock.Clock{})
		if err != nil && !unavailable(err) {
			return took, err
		}
		a, err := client.Put(ctx, key, seen.Context, union(seen.Values, fmt.Sprintf("side %d, %s", i+1, query)))
		d.history.add(key, seen.Context, err == nil, a.Dot, a.Maybe)
		switch {
		case err == nil:
			took++
		case !unavailable(err):
			return took, err
		}
	}
	return took, nil
}

// unavailable reports that a node said it could not do what was asked, and did
// not fail over it.
func unavailable(err error) bool {
	var answer node.StatusError
	return errors.As(err, &answer) && answer.Code == http.StatusServiceUnavailable
}

// reconcile is what clients do with conflicts: read, merge, write what replaces
// all that was read.
func (d *driver) reconcile(ctx context.Context) Tally {
	return d.run(func(s *session, worker int) {
		for i := worker; i < cutKeys && ctx.Err() == nil; i += d.clients {
			s.request(ctx, Request{Verb: Update, Key: fmt.Sprint(cutPrefix, i), Mark: "merged"})
		}
	})
}

// union merges sets of marks, one a line: what a client does with a conflict.
// The newest maxMarks stay, so that a value does not grow without end.
func union(sets [][]byte, mark string) []byte {
	const maxMarks = 16
	var all []string
	for _, set := range sets {
		all = append(all, strings.Split(string(set), "\n")...)
	}
	all = append(all, mark)
	slices.Sort(all)
	all = slices.Compact(all)
	return []byte(strings.Join(all[max(0, len(all)-maxMarks):], "\n"))
}
