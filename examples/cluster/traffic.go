package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
)

// traffic writes rising numbers to keys, each of which belongs to one writer, and
// notes what was acknowledged.
type traffic struct {
	http    *http.Client
	client  *node.Client
	peers   node.Peers
	n       int // copies of a key
	writers int
	keys    int // of each writer

	acked, tried [][]int // by writer and key: the highest number; a slice is its writer's
}

// tally is what the writers saw in one phase.
type tally struct {
	took          time.Duration
	acked, failed int
	latencies     []time.Duration // sorted
	err           error           // the first failure
}

func newTraffic(ctx context.Context, f *fleet, n, writers, keys int) (*traffic, error) {
	t := &traffic{n: n, writers: writers, keys: keys}
	t.http = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}}
	t.peers = node.HTTPPeers(t.http, "operator", f.addr)
	for range writers {
		t.acked, t.tried = append(t.acked, make([]int, keys)), append(t.tried, make([]int, keys))
	}
	var err error
	t.client, err = node.NewClient(ctx, t.http, f.addr, f.names[0], node.RouteAware)
	return t, err
}

func keyName(writer, key int) string { return fmt.Sprintf("writer-%d/%d", writer, key) }

// load writes every key once.
func (t *traffic) load(ctx context.Context) tally {
	return t.all(func(w int, write func(key int)) {
		for k := 0; k < t.keys && ctx.Err() == nil; k++ {
			write(k)
		}
	})
}

// run writes keys at random until ctx is done. A write that has begun is ended.
func (t *traffic) run(ctx context.Context) tally {
	return t.all(func(w int, write func(key int)) {
		rng := rand.New(rand.NewPCG(1, uint64(w)))
		for ctx.Err() == nil {
			write(rng.IntN(t.keys))
		}
	})
}

// all runs every writer and joins what they saw.
func (t *traffic) all(work func(w int, write func(key int))) tally {
	tallies := make([]tally, t.writers)
	start := time.Now()
	var wg sync.WaitGroup
	for w := range t.writers {
		client := *t.client
		client.Name = fmt.Sprint("writer-", w)
		wg.Go(func() { work(w, func(key int) { t.write(&client, &tallies[w], w, key) }) })
	}
	wg.Wait()
	sum := tally{took: time.Since(start)}
	for _, one := range tallies {
		sum.acked += one.acked
		sum.failed += one.failed
		sum.latencies = append(sum.latencies, one.latencies...)
		if sum.err == nil {
			sum.err = one.err
		}
	}
	slices.Sort(sum.latencies)
	return sum
}

// write writes the next number to a key of writer w.
func (t *traffic) write(client *node.Client, one *tally, w, k int) {
	number := t.tried[w][k] + 1
	t.tried[w][k] = number
	start := time.Now()
	err := t.put(client, keyName(w, k), number)
	if err == nil {
		t.acked[w][k] = number
		one.acked++
		one.latencies = append(one.latencies, time.Since(start))
		return
	}
	one.failed++
	if one.err == nil {
		one.err = err
	}
}

// put reads a key and writes what replaces it. Its outcome is noted, whatever
// ends meanwhile.
func (t *traffic) put(client *node.Client, key string, number int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	seen, err := client.Get(ctx, key, vclock.Clock{})
	if err != nil {
		return err
	}
	_, err = client.Put(ctx, key, seen.Context, fmt.Appendf(nil, "%d%s", number, strings.Repeat(" ", 200)))
	return err
}

// errLost says that an acknowledged write is lost.
var errLost = errors.New("an acknowledged write is lost")

// check reads every key from each of its owners: all must hold the same, the last
// number that was acknowledged must be there, and none that nobody wrote. It
// returns how many copies there are.
func (t *traffic) check(ctx context.Context) (copies int, err error) {
	var sum atomic.Int64
	err = t.everyKey(func(w, k int) error {
		n, err := t.checkKey(ctx, w, k)
		sum.Add(int64(n))
		return err
	})
	return int(sum.Load()), err
}

// everyKey calls f for every key, for those of different writers at the same
// time. The first error of each writer's ends it.
func (t *traffic) everyKey(f func(w, k int) error) error {
	errs := make([]error, t.writers)
	var wg sync.WaitGroup
	for w := range t.writers {
		wg.Go(func() {
			for k := 0; k < t.keys && errs[w] == nil; k++ {
				errs[w] = f(w, k)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (t *traffic) checkKey(ctx context.Context, w, k int) (copies int, err error) {
	key, acked, tried := keyName(w, k), t.acked[w][k], t.tried[w][k]
	all, err := t.copies(ctx, key)
	if err != nil {
		return 0, err
	}
	if !equal(all) {
		return 0, fmt.Errorf("%s: %w", key, errDiffer)
	}
	highest := 0
	for value := range all[0].Values() {
		number, err := strconv.Atoi(strings.TrimSpace(string(value)))
		if err != nil || number > tried {
			return 0, fmt.Errorf("%s holds %q, which nobody wrote", key, value)
		}
		highest = max(highest, number)
	}
	switch {
	case highest < acked:
		return 0, fmt.Errorf("%w: %s holds %d, and %d was acknowledged", errLost, key, highest, acked)
	case highest == 0:
		return 0, nil
	}
	return len(all), nil
}

var errDiffer = errors.New("the copies differ")

// same reports whether all owners of every key hold the same of it.
func (t *traffic) same(ctx context.Context) (bool, error) {
	err := t.everyKey(func(w, k int) error {
		all, err := t.copies(ctx, keyName(w, k))
		if err == nil && !equal(all) {
			err = errDiffer
		}
		return err
	})
	if errors.Is(err, errDiffer) {
		return false, nil
	}
	return err == nil, err
}

// copies asks every owner of a key for its copy.
func (t *traffic) copies(ctx context.Context, key string) (all []node.Versions, err error) {
	for _, owner := range t.client.Owners(key, t.n) {
		v, err := node.CopyAt(ctx, t.peers, owner, key)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func equal(copies []node.Versions) bool {
	return !slices.ContainsFunc(copies, func(v node.Versions) bool { return !v.Equal(copies[0]) })
}

func (t *traffic) close() { t.http.CloseIdleConnections() }
