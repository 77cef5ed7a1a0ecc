package lru

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// errEnded says that a method of the Store called runtime.Goexit.
var errEnded = errors.New("lru: the Store ended its goroutine")

// saving is a key of a batch, with the value to be saved, and what came of it.
type saving[K comparable, V any] struct {
	*unsaved[K, V]
	value   V
	deleted bool
	err     error
}

// dispatch starts what may be saved now, and the timer for what may be later. It
// is called with the lock held, after every change.
func (w *behind[K, V]) dispatch() {
	var now, next time.Time
	for i := range w.levels {
		l := &w.levels[i]
		if l.open == len(l.keys) {
			continue
		}
		if now.IsZero() {
			now = time.Now()
		}
		if !l.due.After(now) {
			l.release()
		} else if next.IsZero() || l.due.Before(next) {
			next = l.due
		}
	}
	for w.lanes < saveLanes {
		batch := w.take()
		if batch == nil {
			break
		}
		w.lanes++
		go w.work(w.ctx, batch)
	}
	if !w.paused.IsZero() && (next.IsZero() || w.paused.Before(next)) {
		next = w.paused
	}
	if w.gone {
		next = time.Time{}
	}
	w.wake(next)
}

// wake sets the timer.
func (w *behind[K, V]) wake(at time.Time) {
	switch {
	case at.Equal(w.next):
		return
	case at.IsZero():
		w.timer.Stop()
	case w.timer == nil:
		w.timer = time.AfterFunc(time.Until(at), w.ring)
	default:
		w.timer.Reset(time.Until(at))
	}
	w.next = at
}

func (w *behind[K, V]) ring() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = time.Time{}
	w.dispatch()
}

// take returns a batch of what may be saved now, or nil.
func (w *behind[K, V]) take() []saving[K, V] {
	if w.gone {
		return nil
	}
	if !w.paused.IsZero() {
		if time.Now().Before(w.paused) {
			return nil
		}
		w.paused = time.Time{}
	}
	most := maxBatch
	if w.batches == nil {
		most = 1
	}
	for i := range w.levels {
		keys := w.levels[i].pop(max(1, most>>i))
		if len(keys) == 0 {
			continue
		}
		batch := make([]saving[K, V], len(keys))
		for j, u := range keys {
			u.saving = u.writes
			batch[j] = saving[K, V]{u, u.value, u.deleted, errEnded}
		}
		return batch
	}
	return nil
}

// work saves a batch. Nobody above could do something about a panic of the Store,
// and what is unsaved is to stay: it is a failure like others.
func (w *behind[K, V]) work(ctx context.Context, batch []saving[K, V]) {
	defer func() {
		if p := recover(); p != nil {
			for i := range batch {
				if batch[i].err == errEnded {
					batch[i].err = fmt.Errorf("lru: the Store panicked: %v\n\n%s", p, debug.Stack())
				}
			}
		}
		w.report(w.settle(batch))
		w.leave()
	}()
	w.save(ctx, batch)
}

func (w *behind[K, V]) save(ctx context.Context, batch []saving[K, V]) {
	var all map[K]V
	for i := range batch {
		switch s := &batch[i]; {
		case s.deleted:
			s.err = deleted(w.store.Delete(ctx, s.key))
		case len(batch) == 1:
			s.err = w.store.Save(ctx, s.key, s.value)
		default:
			if all == nil {
				all = make(map[K]V, len(batch))
			}
			all[s.key] = s.value
		}
	}
	if all == nil {
		return
	}
	err := w.batches.SaveAll(ctx, all)
	for i := range batch {
		if !batch[i].deleted {
			batch[i].err = err
		}
	}
}

type failure[K comparable] struct {
	key K
	err error
}

func (w *behind[K, V]) report(failures []failure[K]) {
	if w.onError != nil {
		for _, f := range failures {
			w.onError(f.key, f.err)
		}
	}
}

// settle enters what came of a batch, and returns what is to be reported.
func (w *behind[K, V]) settle(batch []saving[K, V]) (failures []failure[K]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for i := range batch {
		u, err := batch[i].unsaved, batch[i].err
		u.settle(err)
		newer := u.writes != u.saving
		u.saving, u.err = 0, err
		switch {
		case err != nil:
			u.failures++
			failures = append(failures, failure[K]{u.key, err})
			n := min(u.failures, levels-1)
			w.wait(u, n, now.Add(backOff(n)))
		case newer:
			u.failures = 0
			w.wait(u, 0, u.since.Add(w.interval))
		default:
			delete(w.dirty, u.key)
		}
	}
	w.failed += uint64(len(failures))
	if len(failures) < len(batch) {
		w.streak, w.paused = 0, time.Time{}
	} else if w.streak++; w.streak >= saveLanes {
		w.paused = now.Add(outagePause)
	}
	w.grant()
	return failures
}

// wait puts u on a level, and lets it go at once if somebody waits for it.
func (w *behind[K, V]) wait(u *unsaved[K, V], n int, due time.Time) {
	l := &w.levels[n]
	l.push(u, due)
	if len(u.flushes) > 0 {
		l.release()
	}
}

// leave ends a lane.
func (w *behind[K, V]) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lanes--
	w.dispatch()
	w.rest()
}
