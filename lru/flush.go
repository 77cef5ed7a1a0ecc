package lru

import (
	"context"
	"fmt"
	"time"
)

// flushing is a call of flush: so many keys have yet to be tried.
type flushing struct {
	left   int
	failed int
	err    error // the first
	done   chan struct{}
}

// awaited is what a flush waits for: a save of that write of a key, or of a later
// one.
type awaited struct {
	by    *flushing
	write uint64
}

// settle tells those that wait for u what came of saving it.
func (u *unsaved[K, V]) settle(err error) {
	var rest []awaited
	for _, a := range u.flushes {
		if a.write > u.saving {
			rest = append(rest, a)
			continue
		}
		if a.by.left--; err != nil {
			if a.by.failed++; a.by.err == nil {
				a.by.err = err
			}
		}
		if a.by.left == 0 {
			close(a.by.done)
		}
	}
	u.flushes = rest
}

// hurry lets all go at once that are unsaved.
func (w *behind[K, V]) hurry() {
	w.streak, w.paused = 0, time.Time{}
	for i := range w.levels {
		w.levels[i].release()
	}
	w.dispatch()
}

// flush tries to save all that is unsaved now, once.
func (w *behind[K, V]) flush(ctx context.Context) error {
	w.mu.Lock()
	if w.closed || len(w.dirty) == 0 {
		defer w.mu.Unlock()
		if w.closed {
			return ErrClosed
		}
		return nil
	}
	f := &flushing{left: len(w.dirty), done: make(chan struct{})}
	for _, u := range w.dirty {
		u.flushes = append(u.flushes, awaited{f, u.writes})
	}
	w.hurry()
	w.mu.Unlock()

	select {
	case <-f.done:
		if f.failed == 0 {
			return nil
		}
		return unsavedError(f.failed, f.err)
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		return unsavedError(f.failed+f.left, ctx.Err())
	}
}

func unsavedError(keys int, cause error) error {
	return fmt.Errorf("lru: unsaved keys: %d: %w", keys, cause)
}

// close refuses writes from now on, and saves until nothing is left or ctx ends.
// It may be called again to go on.
func (w *behind[K, V]) close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	for len(w.claims) > 0 {
		w.answer(false)
	}
	if w.gone {
		w.gone = false
		w.ctx, w.cancel = context.WithCancel(context.Background())
	}
	if w.idle == nil {
		w.idle = make(chan struct{})
	}
	idle := w.idle
	w.closing++
	w.startOver()
	w.rest()
	w.mu.Unlock()

	select {
	case <-idle:
	case <-ctx.Done():
	}
	w.mu.Lock()
	w.closing--
	if len(w.dirty) == 0 {
		w.mu.Unlock()
		return nil
	}
	if w.closing == 0 {
		w.gone = true
		w.cancel()
		w.dispatch() // stops the timer
	}
	left := make([]failure[K], 0, len(w.dirty))
	for _, u := range w.dirty {
		cause := ctx.Err()
		if u.err != nil {
			cause = fmt.Errorf("%w: %w", cause, u.err)
		}
		left = append(left, failure[K]{u.key, cause})
	}
	w.mu.Unlock()
	w.report(left)
	return unsavedError(len(left), left[0].err)
}

// startOver forgets failures: a call of Close has little time to wait after each.
func (w *behind[K, V]) startOver() {
	for i := 1; i < levels; i++ {
		w.levels[0].keys = append(w.levels[0].keys, w.levels[i].keys...)
		w.levels[i] = level[K, V]{}
	}
	for _, u := range w.dirty {
		u.failures = 0
	}
	w.hurry()
}

// rest tells close when nothing is left to do.
func (w *behind[K, V]) rest() {
	if w.idle != nil && len(w.dirty) == 0 && w.lanes == 0 {
		close(w.idle)
		w.idle = nil
		w.cancel()
	}
}
