package lru

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Backed reads through a cache to a Store, and writes to the Store by the chosen
// WriteMode. What the Store holds is to be changed through one Backed only, or to
// be told to it by Invalidate; otherwise lifetimes say how long it may be wrong.
//
// For each key it is linearizable: a Get returns what was set last, or something
// that is being set, whatever loads, evictions and refreshes there are in between.
// A key is loaded once for all that ask for it at the same time, and written by
// one call at a time, in the order of the calls.
//
// It is safe for concurrent use; the functions of options and OnError may use it,
// but not close it. There is no goroutine but for calls of the Store: loads, and
// what is written behind. Where writes are behind it must be closed in the end. It
// takes 24 bytes an entry more than a Concurrent.
//
// The zero Backed is empty: it answers Peek, Len and Stats, and panics when it would
// need a Store.
type Backed[K comparable, V any] struct {
	cache   *Concurrent[K, dated[V]]
	store   Store[K, V]
	batches BatchStore[K, V] // store, or nil
	mode    WriteMode
	behind  *behind[K, V] // or nil
	aging   aging[K, V]
	onError func(K, error)

	desks  [desks]desk[K, V]
	calls  tally // of the Store, those of behind aside
	closed atomic.Bool
	base   context.Context // of loads; ends when Close gives up
	stop   context.CancelFunc

	counting    bool
	loads       atomic.Uint64
	loadErrors  atomic.Uint64
	loadTime    atomic.Int64
	lastLoad    atomic.Int64 // how long it took
	saveErrors  atomic.Uint64
	falseHits   atomic.Uint64 // of the cache, of values that had ended
	falseMisses atomic.Uint64 // of what was found elsewhere
}

const desks = 64

const zeroBacked = "lru: use of a zero Backed, make one with NewBacked"

// NewBacked returns an empty cache before s, for at most capacity entries, or with
// WithWeigher for entries of that weight together; capacity >= 1. A field of b that
// is negative, or has no use with the others and the options, is an error. Options
// are those of NewConcurrent; the function of WithOnEvict is called by the goroutine
// of a load too.
func NewBacked[K comparable, V any](capacity int, s Store[K, V], b Backing[K], opts ...Option) (*Backed[K, V], error) {
	if s == nil {
		return nil, errors.New("lru: Store is nil")
	}
	o, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if err := b.check(capacity, &o); err != nil {
		return nil, err
	}
	c := &Backed[K, V]{store: s, mode: b.Writes, onError: b.OnError, counting: o.stats}
	c.batches, _ = s.(BatchStore[K, V])
	c.base, c.stop = context.WithCancel(context.Background())
	for i := range c.desks {
		c.desks[i].calls = &c.calls
	}
	if err := c.aging.configure(&o, &b); err != nil {
		return nil, err
	}
	if err := datedBy[K, V](&o); err != nil {
		return nil, err
	}
	if c.cache, err = NewConcurrent[K, dated[V]](capacity, func(given *config) { *given = o }); err != nil {
		return nil, err
	}
	if b.Writes == WriteBehind {
		c.behind = newBehind(s, b)
	}
	return c, nil
}

// configure takes over what o says of lifetimes, but for what the cache does with
// a lifetime by itself.
func (a *aging[K, V]) configure(o *config, b *Backing[K]) error {
	if err := typed(&a.by, o.expiry, "WithExpiry"); err != nil {
		return err
	}
	a.usual, a.sliding, a.jitter, a.clock = o.ttl, o.sliding, o.jitter, newClock()
	a.refresh, a.beta, a.stale, a.negative = b.RefreshAhead, b.EarlyExpiry, b.StaleIfError, b.NegativeTTL
	o.ttl, o.expiry = 0, nil
	if !o.sliding {
		o.jitter = 0
	}
	return nil
}

// datedBy makes the functions of o take dated values.
func datedBy[K comparable, V any](o *config) error {
	var weigher func(K, V) uint32
	var onEvict func(K, V, Reason)
	if err := typed(&weigher, o.weigher, "WithWeigher"); err != nil {
		return err
	}
	if err := typed(&onEvict, o.onEvict, "WithOnEvict"); err != nil {
		return err
	}
	if weigher != nil {
		o.weigher = func(key K, r dated[V]) uint32 { return weigher(key, r.value) }
	}
	if onEvict != nil {
		o.onEvict = func(key K, r dated[V], why Reason) {
			if !r.absent {
				onEvict(key, r.value, why)
			}
		}
	}
	return nil
}

func (b *Backed[K, V]) desk(h uint64) *desk[K, V] { return &b.desks[(h*0x9E3779B97F4A7C15)>>58] }

// Get returns the value of key: from the cache, or what is unsaved of it, or loaded
// from the Store. Where there is none the error wraps ErrNotFound. It waits for a
// load or a write of key that is under way; when ctx ends first, it returns the
// error of ctx. A load goes on while anybody waits for it, and what it returned is
// not cached where a write or Invalidate came after it began.
//
// A panic of the Store is raised again in the call that started the load; other
// calls return an error that wraps ErrLoadPanic, and the panic if that is an error.
func (b *Backed[K, V]) Get(ctx context.Context, key K) (V, error) {
	if err := b.open(); err != nil {
		var none V
		return none, err
	}
	h := b.cache.Hash(key)
	if value, err, ok := b.hit(ctx, h, key); ok {
		return value, err
	}
	return b.miss(ctx, h, key)
}

// open returns ErrClosed where b is closed.
func (b *Backed[K, V]) open() error {
	if b.cache == nil {
		panic(zeroBacked)
	}
	if b.closed.Load() {
		return ErrClosed
	}
	return nil
}

// hit answers from the cache.
func (b *Backed[K, V]) hit(ctx context.Context, h uint64, key K) (value V, err error, ok bool) {
	r, ok := b.cache.GetHashed(h, key)
	if !ok {
		return value, nil, false
	}
	switch b.aging.condition(&r) {
	case spent:
		if b.counting {
			b.falseHits.Add(1)
		}
		return value, nil, false
	case aged:
		b.refresh(ctx, h, key)
	}
	value, err = r.answer()
	return value, err, true
}

// Peek returns what Get would answer without the Store: what is cached or unsaved
// of key, and true if there is a value. It is no access.
func (b *Backed[K, V]) Peek(key K) (value V, ok bool) {
	if b.cache == nil {
		return value, false
	}
	if r, ok := b.cache.Peek(key); ok && !b.aging.over(&r) {
		return r.value, !r.absent
	}
	if b.behind == nil {
		return value, false
	}
	value, deleted, ok := b.behind.get(key)
	return value, ok && !deleted
}

// Invalidate drops what is cached of key, and says whether that was a value. Loads
// of key that are under way answer those that wait for them, and are not cached. A
// write that is unsaved stays and is saved.
func (b *Backed[K, V]) Invalidate(key K) bool {
	if b.cache == nil {
		return false
	}
	h := b.cache.Hash(key)
	d := b.desk(h)
	d.mu.Lock()
	r, had := b.cache.Peek(key)
	had = had && !r.absent && !b.aging.over(&r)
	left := b.cache.deleteQuietly(h, key)
	if s := d.keys[key]; s != nil {
		s.doom()
	}
	delete(d.troubles, key)
	d.mu.Unlock()
	b.cache.report(left)
	return had
}

// Len returns the number of cached entries, memories of absent keys and values
// kept for StaleIfError among them.
func (b *Backed[K, V]) Len() int {
	if b.cache == nil {
		return 0
	}
	return b.cache.Len()
}

// Stats returns the counts of b. Hits and misses, with WithStats, are those of keys
// asked for by Get and GetMany; a hit is an answer without the Store.
func (b *Backed[K, V]) Stats() Stats {
	if b.cache == nil {
		return Stats{}
	}
	s := b.cache.Stats()
	if b.counting {
		falseHits, falseMisses := b.falseHits.Load(), b.falseMisses.Load()
		s.Hits += falseMisses - falseHits
		s.Misses += falseHits - falseMisses
	}
	s.Loads, s.LoadErrors, s.LoadTime = b.loads.Load(), b.loadErrors.Load(), time.Duration(b.loadTime.Load())
	s.SaveErrors = b.saveErrors.Load()
	if b.behind != nil {
		dirty, failed := b.behind.counts()
		s.Dirty = dirty
		s.SaveErrors += failed
	}
	return s
}

// Flush saves what is unsaved now, without waiting for the interval, and tries each
// key once. When a save fails or ctx ends first, it returns an error that says how
// many keys are unsaved and wraps the cause; they stay unsaved, and are tried
// again. But for WriteBehind it has nothing to do.
func (b *Backed[K, V]) Flush(ctx context.Context) error {
	if err := b.open(); err != nil || b.behind == nil {
		return err
	}
	return b.behind.flush(ctx)
}

// Close ends b: from now on Get, GetMany, Set, Delete and Flush return ErrClosed.
// It saves what is unsaved, as often as it takes, and waits for calls of the Store
// that are under way. When ctx ends first, it ends their contexts, tells OnError of
// every key that is unsaved, and returns an error that says how many. It may be
// called again to go on; Peek still returns what is left.
func (b *Backed[K, V]) Close(ctx context.Context) error {
	if b.cache == nil {
		return nil
	}
	b.closed.Store(true)
	for i := range b.desks {
		d := &b.desks[i]
		d.mu.Lock()
		d.closed = true
		d.mu.Unlock()
	}
	var unsaved, busy error
	if b.behind != nil {
		unsaved = b.behind.close(ctx)
	}
	if n := b.calls.wait(ctx); n > 0 {
		busy = fmt.Errorf("lru: calls of the Store under way: %d: %w", n, ctx.Err())
	}
	b.stop()
	return errors.Join(unsaved, busy)
}
