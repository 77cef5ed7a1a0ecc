package lru

import (
	"context"
	"errors"
	"time"
)

// ticket is what a call got at a desk: an answer, or what to wait for.
type ticket[K comparable, V any] struct {
	key      K
	hash     uint64
	answered bool
	value    V
	err      error
	errand   *errand[V]
	traffic  *traffic[V] // of the errand
	write    *writing[V]
	started  bool // errand, by this call
}

// miss answers a Get that the cache did not.
func (b *Backed[K, V]) miss(ctx context.Context, h uint64, key K) (V, error) {
	for {
		var loading context.Context
		t := b.join(ctx, h, key, func() (cancel context.CancelFunc) {
			loading, cancel = b.loading(ctx)
			return cancel
		})
		if t.started {
			go b.load(loading, t)
		}
		if value, err, ok := b.await(ctx, &t); ok {
			return value, err
		}
	}
}

// loading returns a context for loads that ctx asked for, but that does not end
// with it.
func (b *Backed[K, V]) loading(ctx context.Context) (context.Context, context.CancelFunc) {
	loading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	release := context.AfterFunc(b.base, cancel)
	return loading, func() {
		release()
		cancel()
	}
}

// join finds out how a call gets the value of key. Where it is to load it, begin
// returns what ends that.
func (b *Backed[K, V]) join(ctx context.Context, h uint64, key K, begin func() context.CancelFunc) ticket[K, V] {
	t := ticket[K, V]{key: key, hash: h}
	d := b.desk(h)
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.keys[key]
	switch {
	case d.closed:
		t.answered, t.err = true, ErrClosed
	case b.known(d, &t):
		t.answered = true
	case s != nil && s.write != nil:
		t.write = s.write
	case s != nil && s.errand != nil:
		s.errand.waiters++
		t.errand, t.traffic = s.errand, s
	case ctx.Err() != nil:
		t.value, t.err, t.answered = b.giveUp(ctx, key)
	default:
		t.traffic = d.of(key)
		t.errand = &errand[V]{done: make(chan struct{}), waiters: 1, cancel: begin()}
		t.traffic.errand, t.started = t.errand, true
		b.calls.add()
	}
	return t
}

// known answers t without the Store, if that is possible.
func (b *Backed[K, V]) known(d *desk[K, V], t *ticket[K, V]) bool {
	r, ok := b.cache.Peek(t.key)
	if ok && !b.aging.over(&r) {
		t.value, t.err = r.answer()
		return true
	}
	if b.behind != nil {
		if value, deleted, ok := b.behind.get(t.key); ok {
			if t.value = value; deleted {
				t.err = ErrNotFound
			}
			b.foundAfterAll()
			return true
		}
	}
	if ok && !r.absent && d.pauses(t.key, b.aging.clock.now()) {
		t.value = r.value
		b.foundAfterAll()
		return true
	}
	return false
}

// foundAfterAll counts a hit where the cache counted a miss.
func (b *Backed[K, V]) foundAfterAll() {
	if b.counting {
		b.falseMisses.Add(1)
	}
}

// await waits for what t is for. It returns false if that is to be tried again.
func (b *Backed[K, V]) await(ctx context.Context, t *ticket[K, V]) (value V, err error, ok bool) {
	if t.answered {
		return t.value, t.err, true
	}
	w := t.write
	if r := t.errand; r != nil {
		select {
		case <-r.done:
		case <-ctx.Done():
			if b.abandon(t) {
				return b.giveUp(ctx, t.key)
			}
		}
		if w = r.over; w == nil {
			if r.crash != nil && t.started {
				r.crash.raise()
			}
			return r.value, r.err, true
		}
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		return b.giveUp(ctx, t.key)
	}
	switch {
	case w.err != nil:
		return value, nil, false
	case w.deleted:
		return value, ErrNotFound, true
	}
	return w.value, nil, true
}

// abandon leaves a load that t waits for. It returns false if that has ended.
func (b *Backed[K, V]) abandon(t *ticket[K, V]) bool {
	d := b.desk(t.hash)
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-t.errand.done:
		return false
	default:
	}
	if t.errand.waiters--; t.errand.waiters == 0 && !t.errand.quiet {
		if wanted, _ := t.traffic.remove(t.errand); wanted {
			d.tidy(t.key, t.traffic)
		}
		t.errand.cancel()
	}
	return true
}

// giveUp answers a call that can wait no longer: a value that is too old is better
// than none here too.
func (b *Backed[K, V]) giveUp(ctx context.Context, key K) (value V, err error, ok bool) {
	if r, ok := b.cache.Peek(key); ok && !r.absent {
		return r.value, nil, true
	}
	return value, ctx.Err(), true
}

// refresh loads key in the background, unless it is being loaded or written.
func (b *Backed[K, V]) refresh(ctx context.Context, h uint64, key K) {
	d := b.desk(h)
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.keys[key]
	if d.closed || s != nil && (s.write != nil || s.errand != nil) || d.pauses(key, b.aging.clock.now()) {
		return
	}
	if b.behind != nil {
		if _, _, ok := b.behind.get(key); ok {
			return
		}
	}
	loading, cancel := b.loading(ctx)
	s = d.of(key)
	s.errand = &errand[V]{done: make(chan struct{}), cancel: cancel, quiet: true}
	b.calls.add()
	go b.load(loading, ticket[K, V]{key: key, hash: h, errand: s.errand, traffic: s})
}

// outcome is what came of a load.
type outcome[V any] struct {
	value V
	err   error
	crash *crash
	entry entry[V] // to be cached
}

// load loads the key of t.
func (b *Backed[K, V]) load(ctx context.Context, t ticket[K, V]) {
	var o outcome[V]
	begun := b.aging.clock.now()
	defer func() {
		b.took(begun)
		b.land(&t, &o)
	}()
	catch(&o.crash, func() {
		value, err := b.store.Load(ctx, t.key)
		o = b.outcome(t.key, value, err, begun)
	})
}

func (b *Backed[K, V]) outcome(key K, value V, err error, begun int64) outcome[V] {
	o := outcome[V]{value: value, err: err}
	switch {
	case err == nil:
		o.entry = b.entry(key, value, time.Duration(b.aging.clock.now()-begun))
	case errors.Is(err, ErrNotFound) && b.aging.negative > 0:
		r, life := b.aging.absence()
		o.entry = b.weighed(key, r, life)
	}
	return o
}

// took enters how long a load took that began then.
func (b *Backed[K, V]) took(begun int64) {
	t := b.aging.clock.now() - begun
	b.lastLoad.Store(t)
	if b.counting {
		b.loadTime.Add(t)
	}
}

// land gives what came of a load to those that wait for it, and to the cache.
func (b *Backed[K, V]) land(t *ticket[K, V], o *outcome[V]) {
	e := t.errand
	defer b.calls.done()
	defer e.cancel()
	if o.crash != nil {
		o.err = o.crash.failure()
	}
	failed := o.err != nil && !errors.Is(o.err, ErrNotFound)
	b.loads.Add(1)
	if failed {
		b.loadErrors.Add(1)
	}
	wanted, covered, left := b.settle(t, o, failed)
	if wanted {
		defer close(e.done)
	}
	if crash := b.report(e, left); crash != nil {
		o.err, failed = crash.failure(), true
	}
	if failed && (covered || e.quiet) && b.onError != nil {
		b.onError(t.key, o.err)
	}
}

// settle enters what came of a load. It says whether anybody wants it, and whether
// an old value is better.
func (b *Backed[K, V]) settle(t *ticket[K, V], o *outcome[V], failed bool) (wanted, covered bool, left departures[K, dated[V]]) {
	d, e := b.desk(t.hash), t.errand
	d.mu.Lock()
	defer d.mu.Unlock()
	wanted, current := t.traffic.remove(e)
	if !wanted {
		return false, false, left
	}
	d.tidy(t.key, t.traffic)
	e.value, e.err, e.crash = o.value, o.err, o.crash
	switch {
	case !current:
	case failed:
		covered = b.cover(d, t)
	default:
		delete(d.troubles, t.key)
		left = b.keep(t.hash, t.key, o.err == nil || b.aging.negative > 0, o.entry)
	}
	return true, covered, left
}

// report tells what left the cache for what e loaded. What the user's function
// throws goes to the call that started e.
func (b *Backed[K, V]) report(e *errand[V], left departures[K, dated[V]]) (threw *crash) {
	defer func() {
		if threw != nil {
			e.crash = threw
		}
	}()
	catch(&threw, func() { b.cache.report(left) })
	return threw
}

// cover answers those that wait for a load that failed with an old value, and says
// whether there is one.
func (b *Backed[K, V]) cover(d *desk[K, V], t *ticket[K, V]) bool {
	old, ok := b.cache.Peek(t.key)
	if !ok || old.absent {
		return false
	}
	d.fails(t.key, b.aging.clock.now())
	t.errand.value, t.errand.err, t.errand.crash = old.value, nil, nil
	return true
}
