package lru

import (
	"context"
	"errors"
	"time"
)

// Set makes value that of key, in the order of the calls for key. WriteThrough and
// WriteAround save it first: where that fails, Set returns the error, nobody knows
// which value the Store holds, and none is cached. WriteBehind returns when the
// value is in the cache and among what is unsaved; while DirtyLimit other keys are,
// it waits, and when ctx ends first it returns an error that wraps ErrFull and that
// of ctx, and nothing is changed.
func (b *Backed[K, V]) Set(ctx context.Context, key K, value V) error {
	if err := b.open(); err != nil {
		return err
	}
	if b.behind != nil {
		return b.writeBehind(ctx, key, value, false)
	}
	return b.write(ctx, key, &writing[V]{value: value})
}

// Delete takes key out of Store and cache. It is done as Set is.
func (b *Backed[K, V]) Delete(ctx context.Context, key K) error {
	if err := b.open(); err != nil {
		return err
	}
	var none V
	if b.behind != nil {
		return b.writeBehind(ctx, key, none, true)
	}
	return b.write(ctx, key, &writing[V]{deleted: true})
}

// write brings w to the Store, and then to the cache.
func (b *Backed[K, V]) write(ctx context.Context, key K, w *writing[V]) error {
	h := b.cache.Hash(key)
	d := b.desk(h)
	w.done = make(chan struct{})
	s, err := d.begin(ctx, key, w)
	if err != nil {
		return err
	}
	var e entry[V]
	w.err = errEnded
	defer func() {
		d.mu.Lock()
		left := b.keep(h, key, w.err == nil && !w.deleted && !w.doomed && b.mode == WriteThrough, e)
		delete(d.troubles, key)
		d.end(key, s, w)
		d.mu.Unlock()
		if w.err != nil {
			b.saveErrors.Add(1)
		}
		b.cache.report(left)
	}()
	if w.deleted {
		err = deleted(b.store.Delete(ctx, key))
	} else if err = b.store.Save(ctx, key, w.value); err == nil && b.mode == WriteThrough {
		e = b.entry(key, w.value, b.usualLoad())
	}
	w.err = err
	return err
}

// deleted returns err unless it says that what was to be deleted is not there.
func deleted(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// usualLoad is how long a load takes, for values that were not loaded.
func (b *Backed[K, V]) usualLoad() time.Duration { return time.Duration(b.lastLoad.Load()) }

// over is closed from the beginning.
var over = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// writeBehind makes value, or its absence, unsaved.
func (b *Backed[K, V]) writeBehind(ctx context.Context, key K, value V, deleted bool) error {
	if key != key {
		return errors.New("lru: key is not equal to itself, so nothing can be unsaved of it")
	}
	var e entry[V]
	if !deleted {
		e = b.entry(key, value, b.usualLoad())
	}
	h := b.cache.Hash(key)
	for {
		held, err := b.behind.reserve(ctx, key)
		if err != nil {
			return err
		}
		if ok, err := b.putBehind(h, key, value, deleted, held, e); ok || err != nil {
			return err
		}
	}
}

// putBehind returns false if there is no room.
func (b *Backed[K, V]) putBehind(h uint64, key K, value V, deleted, held bool, e entry[V]) (bool, error) {
	d := b.desk(h)
	d.mu.Lock()
	ok, err := b.behind.put(key, value, deleted, held)
	if !ok {
		d.mu.Unlock()
		return false, err
	}
	if s := d.keys[key]; s != nil {
		s.overtake(&writing[V]{done: over, value: value, deleted: deleted})
		d.tidy(key, s)
	}
	delete(d.troubles, key)
	left := b.keep(h, key, !deleted, e)
	d.mu.Unlock()
	b.cache.report(left)
	return true, nil
}
