package lru

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// loadLanes is how many loads GetMany runs at a time where the Store has no LoadAll.
const loadLanes = 16

// GetMany returns the values of keys; those without a value are left out. What must
// be loaded, and is not being loaded for somebody else, is loaded by one LoadAll,
// where the Store has it, or by up to 16 Loads at a time. Where something fails it
// returns what it got and the first error. Otherwise all is as in Get.
func (b *Backed[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	got := make(map[K]V, len(keys))
	if err := b.open(); err != nil {
		return got, err
	}
	var first error
	enter := func(key K, value V, err error) {
		switch {
		case err == nil:
			got[key] = value
		case first == nil && !errors.Is(err, ErrNotFound):
			first = err
		}
	}
	var tickets []ticket[K, V]
	f := fleet[K, V]{b: b}
	for _, key := range keys {
		h := b.cache.Hash(key)
		if value, err, ok := b.hit(ctx, h, key); ok {
			enter(key, value, err)
			continue
		}
		t := b.join(ctx, h, key, func() context.CancelFunc { return f.join(ctx) })
		if t.started {
			f.tickets = append(f.tickets, t)
		}
		tickets = append(tickets, t)
	}
	f.gathered()
	f.sail()
	defer func() { // a load panicked
		for i := range tickets {
			if tickets[i].errand != nil {
				b.abandon(&tickets[i])
			}
		}
	}()
	for len(tickets) > 0 {
		t := &tickets[0]
		tickets = tickets[1:]
		value, err, ok := b.await(ctx, t)
		if !ok {
			value, err = b.miss(ctx, t.hash, t.key)
		}
		enter(t.key, value, err)
	}
	return got, first
}

// fleet is the loads of a GetMany, which share a context. It ends when nobody waits
// for any of them.
type fleet[K comparable, V any] struct {
	b       *Backed[K, V]
	tickets []ticket[K, V]
	ctx     context.Context
	cancel  context.CancelFunc
	needed  atomic.Int64
	next    atomic.Int64
}

// join adds a load, and returns what says that it is no longer needed.
func (f *fleet[K, V]) join(ctx context.Context) context.CancelFunc {
	if f.ctx == nil {
		f.ctx, f.cancel = f.b.loading(ctx)
		f.needed.Add(1) // until all have joined: a write may make the first needless before the next comes
	}
	f.needed.Add(1)
	return sync.OnceFunc(f.leave)
}

func (f *fleet[K, V]) leave() {
	if f.needed.Add(-1) == 0 {
		f.cancel()
	}
}

// gathered says that no more loads join.
func (f *fleet[K, V]) gathered() {
	if f.ctx != nil {
		f.leave()
	}
}

// sail begins the loads.
func (f *fleet[K, V]) sail() {
	switch n := len(f.tickets); {
	case n > 1 && f.b.batches != nil:
		go f.loadAll()
	default:
		for range min(n, loadLanes) {
			go f.loadNext()
		}
	}
}

// loadNext loads one key, and hands over to another goroutine: this one may not
// survive it.
func (f *fleet[K, V]) loadNext() {
	i := int(f.next.Add(1)) - 1
	if i >= len(f.tickets) {
		return
	}
	defer func() { go f.loadNext() }()
	f.b.load(f.ctx, f.tickets[i])
}

// loadAll loads all keys at once.
func (f *fleet[K, V]) loadAll() {
	b := f.b
	out := make([]outcome[V], len(f.tickets))
	var all *crash
	begun := b.aging.clock.now()
	defer func() {
		b.took(begun)
		for i := range f.tickets {
			if all != nil {
				out[i] = outcome[V]{crash: all}
			}
			defer b.land(&f.tickets[i], &out[i]) // even if one ends the goroutine
		}
	}()
	catch(&all, func() {
		keys := make([]K, len(f.tickets))
		for i, t := range f.tickets {
			keys[i] = t.key
		}
		values, err := b.batches.LoadAll(f.ctx, keys)
		for i, key := range keys {
			value, ok := values[key]
			cause := err
			if err == nil && !ok {
				cause = ErrNotFound
			}
			out[i] = b.outcome(key, value, cause, begun)
		}
	})
}
