package lru

import (
	"context"
	"slices"
	"sync"
)

// desk is where calls for the same key meet, and its lock is what makes a change
// of the cache and of what is known about a key one step. No method of the Store
// and no function of the user runs under it.
//
// At a time a key has one write on its way to the Store, and the others queue. A
// read that starts while there is a write waits for what comes of it, and a write
// that starts answers the reads that are under way: what they load may be from
// before or after it. So a read never tells of a write that a later read has not
// seen, and what is stored in the cache is what the Store holds.
type desk[K comparable, V any] struct {
	mu       sync.Mutex
	keys     map[K]*traffic[V]
	troubles map[K]trouble
	calls    *tally
	closed   bool
	_        [64]byte
}

// traffic is a key that is being read or written.
type traffic[V any] struct {
	write  *writing[V]
	queue  []*turn[V]
	errand *errand[V]   // the one to join
	doomed []*errand[V] // those that Invalidate came after
}

// writing is a write on its way to the Store.
type writing[V any] struct {
	done    chan struct{}
	value   V
	deleted bool
	err     error // then nobody knows what the Store holds
	doomed  bool  // Invalidate came after it began
}

// errand is a load on its way, for all that wait for the same key.
type errand[V any] struct {
	done    chan struct{}
	value   V
	err     error
	over    *writing[V] // began meanwhile, and answers in its place
	crash   *crash
	waiters int
	cancel  context.CancelFunc // may be called again
	quiet   bool               // in the background: it goes on when nobody waits
}

// turn is a write that waits for its turn.
type turn[V any] struct {
	mine  *writing[V]
	comes chan struct{}
}

func (d *desk[K, V]) of(key K) *traffic[V] {
	s := d.keys[key]
	if s == nil {
		s = new(traffic[V])
		if d.keys == nil {
			d.keys = map[K]*traffic[V]{}
		}
		if key == key { // a NaN would never be found again
			d.keys[key] = s
		}
	}
	return s
}

// tidy forgets the traffic of a key when there is none.
func (d *desk[K, V]) tidy(key K, s *traffic[V]) {
	if s.write == nil && s.errand == nil && len(s.doomed) == 0 {
		delete(d.keys, key)
	}
}

// begin waits for the turn of a write and begins it.
func (d *desk[K, V]) begin(ctx context.Context, key K, w *writing[V]) (*traffic[V], error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil, ErrClosed
	}
	s := d.of(key)
	d.calls.add()
	if s.write == nil {
		s.write = w
		s.overtake(w)
		d.mu.Unlock()
		return s, nil
	}
	t := &turn[V]{w, make(chan struct{})}
	s.queue = append(s.queue, t)
	d.mu.Unlock()

	select {
	case <-t.comes:
		return s, nil
	case <-ctx.Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(s.queue, t); i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
		d.calls.done()
		return nil, ctx.Err()
	}
	return s, nil // it came at the same time
}

// end ends a write. It is called with the lock held.
func (d *desk[K, V]) end(key K, s *traffic[V], w *writing[V]) {
	close(w.done)
	if s.write = nil; len(s.queue) > 0 {
		s.write = s.queue[0].mine
		close(s.queue[0].comes)
		s.queue = slices.Delete(s.queue, 0, 1)
	}
	d.tidy(key, s)
	d.calls.done()
}

// overtake sends all that wait for a load to w.
func (s *traffic[V]) overtake(w *writing[V]) {
	if s.errand != nil {
		s.doomed = append(s.doomed, s.errand)
		s.errand = nil
	}
	for _, e := range s.doomed {
		e.over = w
		e.cancel()
		close(e.done)
	}
	s.doomed = nil
}

// doom takes a read from those that may be joined and stored.
func (s *traffic[V]) doom() {
	if s.write != nil {
		s.write.doomed = true
	}
	if s.errand != nil {
		s.doomed = append(s.doomed, s.errand)
		s.errand = nil
	}
}

// remove takes e out, and says whether it was there and whether it may be stored.
func (s *traffic[V]) remove(e *errand[V]) (there, current bool) {
	if s.errand == e {
		s.errand = nil
		return true, true
	}
	i := slices.Index(s.doomed, e)
	if i >= 0 {
		s.doomed = slices.Delete(s.doomed, i, i+1)
	}
	return i >= 0, false
}

// trouble is a key whose loads fail while the cache has a value of it, old as it
// may be: after so many failures there is none before that time.
type trouble struct {
	failures int
	until    int64
}

// maxTroubles bounds what a desk remembers. What it forgets is loaded again soon.
const maxTroubles = 1024

func (d *desk[K, V]) fails(key K, now int64) {
	t := d.troubles[key]
	t.failures++
	t.until = later(now, backOff(t.failures))
	if d.troubles == nil {
		d.troubles = map[K]trouble{}
	}
	if len(d.troubles) >= maxTroubles {
		for other := range d.troubles {
			delete(d.troubles, other)
			break
		}
	}
	d.troubles[key] = t
}

func (d *desk[K, V]) pauses(key K, now int64) bool { return now < d.troubles[key].until }
