package quorum

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Hedge says when a read asks one replica more because those it waits for are
// slow (Dean and Barroso, "The Tail at Scale", CACM 2013). Zero fields take the
// defaults.
type Hedge struct {
	// Quantile of one replica's latency after which an answer counts as slow,
	// 0 < Quantile < 1. Default 0.95. Nothing is hedged before 100 answers.
	Quantile float64
	// Min and Max bound the wait, 0 ≤ Min ≤ Max: one bad replica drags every
	// quantile. Default 0 and no bound (a Max of 0).
	Min, Max time.Duration
	// Budget is how many hedges there may be per read over time, 0 < Budget ≤ 1,
	// with up to ten saved up: an outage that makes everything slow cannot
	// multiply the load. Default 0.1.
	Budget float64
}

// WithHedge makes reads ask only as many replicas as can be enough, the fastest
// of them, and one more whenever the answers are slow. It saves calls and cuts
// the tail, for one timer a read. The order is that of the preference list as
// long as no node is more than a tenth slower than one that would take its
// place; one read in a hundred tries another node, so that a slow one can
// recover. Default: reads ask all replicas.
func WithHedge(h Hedge) Option {
	return func(c *config) {
		if h.Quantile == 0 {
			h.Quantile = 0.95
		}
		if h.Budget == 0 {
			h.Budget = 0.1
		}
		c.hedge = &hedger{Hedge: h}
	}
}

// check reports bad fields.
func (h *hedger) check() error {
	switch {
	case h == nil:
		return nil
	case !(h.Quantile > 0 && h.Quantile < 1):
		return fmt.Errorf("quorum: hedge quantile is %g, want 0 < q < 1", h.Quantile)
	case h.Min < 0 || h.Max < 0 || h.Max > 0 && h.Max < h.Min:
		return fmt.Errorf("quorum: hedge waits %v to %v, want 0 <= min <= max", h.Min, h.Max)
	case !(h.Budget > 0 && h.Budget <= 1):
		return fmt.Errorf("quorum: hedge budget is %g, want 0 < b <= 1", h.Budget)
	}
	return nil
}

// hedger is a Hedge and the wait that it came to lately.
type hedger struct {
	Hedge
	wait  atomic.Int64
	asOf  atomic.Uint32 // samples when the wait was computed
	reads atomic.Uint32
}

const (
	hedgeSamples = 100
	hedgeRefresh = 64 // samples after which the wait is computed again
	probeEvery   = 100

	token    = 1000 // the budget is kept in thousandths
	tokenCap = 10 * token
)

// delay returns how long to wait before a hedge, 0: never.
func (h *hedger) delay(times *histogram) time.Duration {
	n := times.samples.Load()
	if n < hedgeSamples {
		return 0
	}
	if was := h.asOf.Load(); was == 0 || n-was >= hedgeRefresh {
		counts := times.counts()
		d := max(h.Min, counts.quantile(h.Quantile))
		if h.Max > 0 {
			d = min(h.Max, d)
		}
		h.wait.Store(int64(max(d, 1)))
		h.asOf.Store(n)
	}
	return time.Duration(h.wait.Load())
}

func (c *Coordinator) hedgeAfter() time.Duration {
	if c.hedge == nil {
		return 0
	}
	return c.hedge.delay(&c.shared.readTimes)
}

// budget is a bucket of hedges that reads fill.
type budget struct{ spent atomic.Int64 } // below the cap

func (b *budget) earn(perRead float64) {
	for {
		spent := b.spent.Load()
		if spent == 0 || b.spent.CompareAndSwap(spent, max(0, spent-int64(perRead*token))) {
			return
		}
	}
}

func (b *budget) spend() bool {
	if b.spent.Add(token) <= tokenCap {
		return true
	}
	b.spent.Add(-token)
	return false
}

// pick chooses whom a hedged read asks first: the fastest that are enough, and
// none of them in vain.
func (f *call) pick() {
	h := f.c.hedge
	f.rank(f.c.shared, h.reads.Add(1))
	var set uint64
	for _, place := range f.order {
		if set |= 1 << place & f.idle; f.enough(set, set) {
			break
		}
	}
	for k := f.n - 1; k >= 0; k-- {
		if less := set &^ (1 << f.order[k]); f.enough(less, less) {
			set = less
		}
	}
	f.urgent = set
	f.c.shared.budget.earn(h.Budget)
}

// waitHedged is wait, and asks a further replica whenever the delay passes.
func (f *call) waitHedged(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-f.wake:
			return
		case <-ctx.Done():
			f.mu.Lock()
			f.stop(contextReason(ctx))
			f.mu.Unlock()
			return
		case <-timer.C:
			f.mu.Lock()
			more := f.spur()
			f.mu.Unlock()
			if !more {
				f.wait(ctx)
				return
			}
			timer.Reset(delay)
		}
	}
}

// spur sends a hedge, if an owner is idle and the budget allows it, and reports
// whether it is worth to wait for another.
func (f *call) spur() bool {
	if f.state != pending || f.idle == 0 {
		return false
	}
	if !f.c.shared.budget.spend() {
		return true
	}
	i := f.next() // idle owners come first
	f.hedged |= 1 << i
	f.slots[i].sent = now()
	f.c.shared.hedges.Add(1)
	f.begin(1 << i)
	return true
}
