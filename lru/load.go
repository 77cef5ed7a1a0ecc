package lru

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// ErrClosed says that a cache was closed and loads no more.
var ErrClosed = errors.New("lru: cache is closed")

// GetOrLoad returns the value of key, or else what load returns, and keeps it as Set
// would. Of all goroutines that miss one key at the same time, one starts the load,
// and all wait for it. An error goes to all of them, and is not kept.
//
// A Set or Delete of key while it is loaded counts as later than the load: those who
// wait get what was loaded, nobody else does, and it is not kept. Whoever asks after that
// Set or Delete finds its value, or loads anew.
//
// A waiter leaves with the error of its ctx when that ends. load runs on a goroutine
// of its own, with the values of the ctx of the call that started it; its context ends
// when all have left, and then its result is dropped. If it panics, the panic goes on in
// the goroutine that started it, or is lost if that has left; the others get an error
// that wraps ErrLoadPanic, and the panic if that is an error. It may use the cache,
// but must not ask for key itself. After Close, GetOrLoad returns ErrClosed for what
// it would have to load.
func (c *Concurrent[K, V]) GetOrLoad(ctx context.Context, key K, load func(context.Context, K) (V, error)) (V, error) {
	return c.engine().getOrLoad(ctx, key, func(ctx context.Context, key K) (V, time.Duration, error) {
		value, err := load(ctx, key)
		return value, 0, err
	})
}

// Close makes GetOrLoad load no more and waits for the loads under way. All else goes
// on as before. It never fails, and may be called again.
func (c *Concurrent[K, V]) Close() error {
	if e := c.made.Load(); e != nil {
		e.loading.close()
	}
	return nil
}

// loader returns the value of a key and, if not 0, the lifetime that it is to have.
type loader[K comparable, V any] func(context.Context, K) (V, time.Duration, error)

// flight is a load under way, for all who wait for it.
type flight[K comparable, V any] struct {
	key     K
	hash    uint64
	shard   *shard[K, V]
	watch   *watch[K, V]
	waiters int // guarded by the shard, as is
	doomed  bool
	cancel  context.CancelFunc

	value V // these are final when done is closed
	ttl   time.Duration
	err   error
	crash *crash // of a function of the user

	done chan struct{}
	over chan struct{} // closed when what left for the value is reported too
}

// watch tells those who look at a key without the lock whether it is changed
// meanwhile. There is one for a key while somebody does.
type watch[K comparable, V any] struct {
	watchers int
	writes   uint64 // Sets and Deletes since
	flight   *flight[K, V]
}

// watch registers a watcher of key, who calls leave in the end; s is locked for both.
func (s *shard[K, V]) watch(key K) *watch[K, V] {
	w := s.watches[key]
	if w == nil {
		w = new(watch[K, V])
		if key == key { // a NaN cannot be found again, nor changed
			s.watches[key] = w
		}
	}
	w.watchers++
	return w
}

func (s *shard[K, V]) leave(key K, w *watch[K, V]) {
	if w.watchers--; w.watchers == 0 {
		delete(s.watches, key)
	}
}

// wrote says that key is set or deleted. A load under way is too old from now on.
func (s *shard[K, V]) wrote(key K) {
	if len(s.watches) > 0 {
		if w := s.watches[key]; w != nil {
			w.wrote()
		}
	}
}

func (s *shard[K, V]) wroteAll() {
	for _, w := range s.watches {
		w.wrote()
	}
}

func (w *watch[K, V]) wrote() {
	w.writes++
	w.doom()
}

func (w *watch[K, V]) doom() {
	if w.flight != nil {
		w.flight.doomed = true
		w.flight = nil
	}
}

func (e *engine[K, V]) getOrLoad(ctx context.Context, key K, load loader[K, V]) (value V, err error) {
	h := e.hash.sum(key)
	if value, ok := e.get(h, key); ok {
		return value, nil
	}
	if err := ctx.Err(); err != nil {
		return value, err
	}
	s, place := e.locate(h)
	s.mu.Lock()
	for {
		c := s.core
		i := c.find(place, key)
		if i == none || c.deadYet(i) {
			break
		}
		if i = c.current(i); i != none { // it came meanwhile
			c.access(i)
			value = c.nodes[i].value
			e.unlock(s)
			return value, nil
		}
		e.unlock(s)
		s.mu.Lock()
	}
	f, started, err := e.board(ctx, s, h, key, load)
	s.mu.Unlock()
	if err != nil {
		return value, err
	}
	return e.await(ctx, f, started)
}

// board joins the load of key that is under way, or starts one. s is locked.
func (e *engine[K, V]) board(ctx context.Context, s *shard[K, V], h uint64, key K, load loader[K, V]) (f *flight[K, V], started bool, err error) {
	w := s.watch(key)
	if f := w.flight; f != nil {
		s.leave(key, w)
		f.waiters++
		return f, false, nil
	}
	if !e.loading.begin() {
		s.leave(key, w)
		return nil, false, ErrClosed
	}
	f = &flight[K, V]{key: key, hash: h, shard: s, watch: w, waiters: 1, done: make(chan struct{}), over: make(chan struct{})}
	w.flight = f
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go e.fly(ctx, f, load)
	return f, true, nil
}

// await returns what f loads, or ctx's error if that ends sooner.
func (e *engine[K, V]) await(ctx context.Context, f *flight[K, V], started bool) (value V, err error) {
	end := f.done
	if started {
		end = f.over
	}
	select {
	case <-end:
	case <-ctx.Done():
		e.abandon(f)
		return value, ctx.Err()
	}
	if started && f.crash != nil {
		f.crash.raise()
	}
	return f.value, f.err
}

// abandon is called by each that waits no longer. The last one ends the load.
func (e *engine[K, V]) abandon(f *flight[K, V]) {
	s := f.shard
	s.mu.Lock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		f.doomed = true
		if f.watch.flight == f {
			f.watch.flight = nil
		}
	}
	s.mu.Unlock()
}

// fly loads, keeps the value, and tells. What follows a function of the user is
// deferred, as that may end the goroutine by runtime.Goexit.
func (e *engine[K, V]) fly(ctx context.Context, f *flight[K, V], load loader[K, V]) {
	var l landing[K, V]
	if e.model.counting {
		l.start = time.Now()
	}
	defer e.loading.calls.done()
	defer close(f.over)
	defer catch(&f.crash, func() {
		if l.left != nil {
			e.report(f.shard, l.left)
		}
	})
	defer func() {
		f.cancel()
		e.land(f, &l)
		close(f.done)
	}()
	defer catch(&f.crash, func() {
		if f.err == nil && f.crash == nil {
			l.weight, l.life = e.terms(&l.moment, f.key, f.value, f.ttl)
		}
	})
	catch(&f.crash, func() { f.value, f.ttl, f.err = load(ctx, f.key) })
}

// landing is what becomes of a loaded value.
type landing[K comparable, V any] struct {
	start  time.Time
	moment moment
	weight uint32
	life   time.Duration
	left   *batch[K, V] // to be reported
}

// land keeps the value of f if it has one and that is still wanted.
func (e *engine[K, V]) land(f *flight[K, V], l *landing[K, V]) {
	if f.crash != nil {
		f.err = f.crash.failure()
	}
	e.loading.loads.Add(1)
	if f.err != nil {
		e.loading.errors.Add(1)
	}
	if e.model.counting {
		e.loading.time.Add(int64(time.Since(l.start)))
	}
	s, place := e.locate(f.hash)
	s.mu.Lock()
	if f.err == nil && !f.doomed {
		s.mu.Unlock()
		i, fits := e.lockFor(&l.moment, s, place, f.key, l.weight)
		if !f.doomed {
			f.watch.flight = nil
			e.put(s, l.moment, i, place, f.key, f.value, l.weight, l.life, fits)
		}
	}
	if f.watch.flight == f {
		f.watch.flight = nil
	}
	s.leave(f.key, f.watch)
	l.left = e.release(s)
}

// loading is the loads of a cache.
type loading struct {
	loads, errors atomic.Uint64
	time          atomic.Int64

	calls  tally
	closed atomic.Bool
}

// begin counts a load that is under way until calls.done, or returns false if there
// may be no more loads.
func (l *loading) begin() bool {
	l.calls.add()
	if l.closed.Load() {
		l.calls.done()
		return false
	}
	return true
}

func (l *loading) close() {
	l.closed.Store(true)
	l.calls.wait(context.Background())
}

func (l *loading) count(s *Stats) {
	s.Loads = l.loads.Load()
	s.LoadErrors = l.errors.Load()
	s.LoadTime = time.Duration(l.time.Load())
}
