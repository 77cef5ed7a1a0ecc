package lru_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// history is what is known of a key: its writes, of which each has a value of its
// own, and what was read.
type history struct {
	t      testing.TB
	mu     sync.Mutex
	clock  int // events so far
	writes map[int][]*written
	saved  map[int]int // by key, the number of the newest write that the Store has seen
}

// written is a write, at the times of its call and its return. What failed, or has
// not returned, may have its effect at any time.
type written struct {
	value       int // -1 for a Delete
	call, since int
}

const unknown = math.MaxInt

func (h *history) now() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	return h.clock
}

func (h *history) begin(key, value int) *written {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	w := &written{value, h.clock, unknown}
	h.writes[key] = append(h.writes[key], w)
	return w
}

func (h *history) end(w *written, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	if err == nil {
		w.since = h.clock
	}
}

// find returns the write of a value.
func (h *history) find(key, value int) *written {
	for _, w := range h.writes[key] {
		if w.value == value {
			return w
		}
	}
	return nil
}

// check says that a read which was called at that time may return value: nothing is
// known to have replaced it before the call. Deletes are alike, so one of them must
// allow it.
func (h *history) check(what string, key, value, call int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := false
	for _, w := range h.writes[key] {
		if w.value != value {
			continue
		}
		known = true
		old := false
		for _, next := range h.writes[key] {
			old = old || next.call > w.since && next.since < call
		}
		if !old {
			return
		}
	}
	assert.True(h.t, known, "%s of %d: nobody wrote %d", what, key, value)
	assert.False(h.t, known, "%s of %d: %d was replaced before", what, key, value)
}

// seen says that the Store gets value: after no write that began when this one had
// ended.
func (h *history) seen(key, value int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if value < 0 {
		return // there are several alike
	}
	w := h.find(key, value)
	require.NotNil(h.t, w)
	assert.GreaterOrEqual(h.t, w.since, h.saved[key], "key %d: the Store gets %d, which is old", key, value)
	h.saved[key] = max(h.saved[key], w.call)
}

// flaky is a Store that takes its time, fails before an effect or after it, and
// panics.
type flaky struct {
	*shelf
	*history
	fails float64
}

func newFlaky(t testing.TB, h *history, fails float64, values map[int]int) *flaky {
	f := &flaky{newShelf(t, values), h, fails}
	f.meddle = func(ctx context.Context, op string, key int) error {
		if rand.IntN(2) == 0 {
			select {
			case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if rand.Float64() < f.fails {
			return errDown
		}
		return nil
	}
	f.lose = func(string, int) error {
		if rand.Float64() < f.fails {
			return errDown
		}
		return nil
	}
	return f
}

func (f *flaky) Load(ctx context.Context, key int) (int, error) {
	v, err := f.shelf.Load(ctx, key)
	if rand.IntN(2) == 0 {
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // the answer is on its way
	}
	return v, err
}

func (f *flaky) Save(ctx context.Context, key, value int) error {
	f.seen(key, value)
	return f.shelf.Save(ctx, key, value)
}

// flakyBatches does so in batches.
type flakyBatches struct{ *flaky }

func (f flakyBatches) SaveAll(ctx context.Context, m map[int]int) error {
	for key, value := range m {
		f.seen(key, value)
	}
	return batchShelf{f.shelf}.SaveAll(ctx, m)
}

func (f flakyBatches) LoadAll(ctx context.Context, keys []int) (map[int]int, error) {
	return batchShelf{f.shelf}.LoadAll(ctx, keys)
}

// scenario is a way to use a Backed.
type scenario struct {
	b       lru.Backing[int]
	opts    []lru.Option
	batches bool
	fails   float64
}

func scenarios() (all []scenario) {
	for _, mode := range []lru.WriteMode{lru.WriteThrough, lru.WriteAround, lru.WriteBehind} {
		for _, batches := range []bool{false, true} {
			for _, fails := range []float64{0, 0.2} {
				plain := lru.Backing[int]{Writes: mode}
				if mode == lru.WriteBehind {
					plain.FlushInterval, plain.DirtyLimit = 30*time.Millisecond, 3
				}
				full := plain
				full.RefreshAhead, full.EarlyExpiry, full.NegativeTTL = 20*time.Millisecond, 1, 10*time.Millisecond
				all = append(all, scenario{plain, []lru.Option{lru.WithPolicy(lru.LRU)}, batches, fails},
					scenario{full, []lru.Option{lru.WithTTL(50 * time.Millisecond), lru.WithJitter(0.5)}, batches, fails})
			}
		}
	}
	return all
}

// Whatever the Store does: nobody reads what was replaced before, the Store sees the
// values of a key in order, and nothing that was acknowledged is lost after Close.
func TestBackedAgainstHistory(t *testing.T) {
	for i, sc := range scenarios() {
		t.Run(fmt.Sprintf("%v/%d", sc.b.Writes, i), func(t *testing.T) {
			for seed := range uint64(6) {
				synctest.Test(t, func(t *testing.T) { sc.play(t, seed) })
			}
		})
	}
}

const playedKeys = 5

func (sc scenario) play(t *testing.T, seed uint64) {
	h := &history{t: t, writes: map[int][]*written{}, saved: map[int]int{}}
	values := map[int]int{}
	for key := range playedKeys {
		values[key] = 1_000_000 + key
		h.end(h.begin(key, values[key]), nil)
	}
	f := newFlaky(t, h, sc.fails, values)
	var s lru.Store[int, int] = f
	if sc.batches {
		s = flakyBatches{f}
	}
	c := newBacked(t, 3, s, sc.b, sc.opts...)
	var group sync.WaitGroup
	for client := range 6 {
		group.Go(func() {
			p := player{t, rand.New(rand.NewPCG(seed, uint64(client))), c, h, client * 10_000}
			for range 150 {
				p.step()
			}
		})
	}
	group.Wait()
	for key := range playedKeys {
		if v, ok := c.Peek(key); ok {
			h.check("Peek", key, v, h.now())
		}
	}
	closes(t, c)
	for key := range playedKeys {
		v, ok := f.get(key)
		if !ok {
			v = -1
		}
		h.check("the Store's value", key, v, h.now())
	}
	assert.Zero(t, c.Stats().Dirty)
}

// player is a client.
type player struct {
	t    *testing.T
	r    *rand.Rand
	c    *lru.Backed[int, int]
	h    *history
	next int
}

func (p *player) step() {
	key := p.r.IntN(playedKeys)
	ctx := bg
	if p.r.IntN(4) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(bg, time.Duration(p.r.IntN(30))*time.Millisecond)
		defer cancel()
	}
	switch p.r.IntN(10) {
	case 0, 1, 2:
		call := p.h.now()
		v, err := p.c.Get(ctx, key)
		p.read("Get", key, v, err, call)
	case 3:
		keys := []int{key, p.r.IntN(playedKeys), p.r.IntN(playedKeys)}
		call := p.h.now()
		got, err := p.c.GetMany(ctx, keys)
		for _, key := range keys {
			if v, ok := got[key]; ok {
				p.h.check("GetMany", key, v, call)
			} else if err == nil {
				p.h.check("GetMany", key, -1, call)
			}
		}
	case 4, 5:
		p.next++
		w := p.h.begin(key, p.next)
		p.wrote(w, p.c.Set(ctx, key, p.next))
	case 6:
		w := p.h.begin(key, -1)
		p.wrote(w, p.c.Delete(ctx, key))
	case 7:
		p.c.Invalidate(key)
	case 8:
		call := p.h.now()
		if v, ok := p.c.Peek(key); ok {
			p.h.check("Peek", key, v, call)
		}
	default:
		time.Sleep(time.Duration(p.r.IntN(30)) * time.Millisecond)
	}
}

func (p *player) read(what string, key, value int, err error, call int) {
	switch {
	case err == nil:
		p.h.check(what, key, value, call)
	case errors.Is(err, lru.ErrNotFound):
		p.h.check(what, key, -1, call)
	default:
		p.failed(err)
	}
}

func (p *player) wrote(w *written, err error) {
	p.h.end(w, err)
	if err != nil {
		p.failed(err)
	}
}

func (p *player) failed(err error) {
	if !errors.Is(err, errDown) && !errors.Is(err, context.DeadlineExceeded) {
		p.t.Errorf("unexpected: %v", err)
	}
}
