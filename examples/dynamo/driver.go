package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
)

// driver runs clients against the cluster, measures them, and writes down what
// was acknowledged.
type driver struct {
	client  *node.Client
	clients int
	seed    uint64
	work    *Workload
	history *history
	exact   *exactUsage
	total   atomic.Uint64 // operations so far, for the page
	recent  recent        // the last of them, for the page

	usual  [2]int                 // levels R and W of the nodes
	chosen atomic.Pointer[[2]int] // levels R and W that somebody chose on the page
}

// Tally is what the clients saw in one phase.
type Tally struct {
	Took    time.Duration
	Gets    []time.Duration // sorted
	Puts    []time.Duration
	Retries int
	Failed  int
	Error   error // the first failure
}

// Count returns how many operations there were.
func (t Tally) Count() int { return len(t.Gets) + len(t.Puts) }

// Ops returns operations a second.
func (t Tally) Ops() float64 { return float64(t.Count()) / t.Took.Seconds() }

// setLevels changes the levels of the traffic.
func (d *driver) setLevels(r, w int) { d.chosen.Store(&[2]int{r, w}) }

// levels returns the levels of the traffic.
func (d *driver) levels() (r, w int) {
	if chosen := d.chosen.Load(); chosen != nil {
		return chosen[0], chosen[1]
	}
	return d.usual[0], d.usual[1]
}

// percentile returns the p-th of sorted durations, 0 if there are none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// session is one client's part of a phase.
type session struct {
	*driver
	client node.Client // of its own, with the name of whoever asks at the time
	rng    *rand.Rand
	tally  Tally
}

// run starts all clients and joins their tallies.
func (d *driver) run(work func(s *session, share int)) Tally {
	sessions := make([]*session, d.clients)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range sessions {
		s := &session{driver: d, client: *d.client, rng: rand.New(rand.NewPCG(d.seed, uint64(i)))}
		sessions[i] = s
		wg.Go(func() { work(s, i) })
	}
	wg.Wait()
	all := Tally{Took: time.Since(start)}
	for _, s := range sessions {
		all.Gets = append(all.Gets, s.tally.Gets...)
		all.Puts = append(all.Puts, s.tally.Puts...)
		all.Retries += s.tally.Retries
		all.Failed += s.tally.Failed
		if all.Error == nil {
			all.Error = s.tally.Error
		}
	}
	slices.Sort(all.Gets)
	slices.Sort(all.Puts)
	return all
}

// load writes every item once.
func (d *driver) load(ctx context.Context) Tally {
	return d.run(func(s *session, share int) {
		for i := share; i < len(d.work.Items) && ctx.Err() == nil; i += d.clients {
			s.client.Name = fmt.Sprint("loader-", share)
			s.put(ctx, d.work.Items[i].Key, vclock.Clock{}, d.work.Items[i].Value)
		}
	})
}

// traffic is where the clients' requests go on from phase to phase.
type traffic []func() (Request, bool)

func (d *driver) openTraffic() (t traffic, stop func()) {
	var stops []func()
	for i := range d.clients {
		next, stop := iter.Pull(d.work.Traffic(i, d.clients))
		t, stops = append(t, next), append(stops, stop)
	}
	return t, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// visitWrites makes 30 % of the operations writes: a visit that writes reads
// first, so u/(1+u) = 0.3.
const visitWrites = 0.3 / 0.7

// serve sends traffic for that long.
func (d *driver) serve(ctx context.Context, t traffic, how time.Duration) Tally {
	ctx, cancel := context.WithTimeout(ctx, how)
	defer cancel()
	return d.run(func(s *session, share int) {
		for ctx.Err() == nil {
			r, ok := t[share]()
			if !ok {
				return
			}
			s.request(ctx, r)
		}
	})
}

func (s *session) request(ctx context.Context, r Request) {
	// A request that has begun is finished: its outcome is part of the history.
	ctx = context.WithoutCancel(ctx)
	s.client.Name = r.Mark
	if chosen := s.chosen.Load(); chosen != nil && s.driver.client.Query == "" {
		s.client.Query = fmt.Sprintf("r=%d&w=%d", chosen[0], chosen[1])
	}
	verb := r.Verb
	if verb == Visit && s.rng.Float64() < visitWrites {
		verb = Update
	}
	a, ok := s.get(ctx, r.Key)
	if !ok {
		return
	}
	switch verb {
	case Update:
		s.put(ctx, r.Key, a.Context, union(a.Values, r.Mark))
	case Delete:
		s.delete(ctx, r.Key, a)
	}
}

func (s *session) get(ctx context.Context, key string) (node.Answer, bool) {
	start := time.Now()
	a, err := s.client.Get(ctx, key, vclock.Clock{})
	took := time.Since(start)
	s.tally.Gets = append(s.tally.Gets, took)
	s.recent.add(key, false, took)
	return a, s.note(key, a, err)
}

func (s *session) put(ctx context.Context, key string, seen vclock.Clock, value []byte) {
	start := time.Now()
	a, err := s.client.Put(ctx, key, seen, value)
	took := time.Since(start)
	s.tally.Puts = append(s.tally.Puts, took)
	s.recent.add(key, true, took)
	s.history.add(key, seen, err == nil, a.Dot, a.Maybe)
	s.note(key, a, err)
}

func (s *session) delete(ctx context.Context, key string, found node.Answer) {
	if len(found.Values) == 0 {
		return
	}
	start := time.Now()
	a, deleted, err := s.client.Delete(ctx, key, found.Context)
	s.tally.Puts = append(s.tally.Puts, time.Since(start))
	s.history.add(key, found.Context, deleted, vclock.Dot{}, a.Maybe)
	s.note(key, a, err)
}

func (s *session) note(key string, a node.Answer, err error) bool {
	s.total.Add(1)
	s.tally.Retries += a.Retries
	if err == nil {
		s.exact.add(key, s.client.Name)
		return true
	}
	s.tally.Failed++
	if s.tally.Error == nil {
		s.tally.Error = fmt.Errorf("client: %w", err)
	}
	return false
}
