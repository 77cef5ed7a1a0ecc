package hll

import (
	"math"
	"time"
)

// paneOf returns the number of the pane of a time.
func (w *Window) paneOf(now time.Time) int64 {
	ns := nanoseconds(now)
	if w.begun && uint64(ns)-uint64(w.start) < uint64(w.width) {
		return w.newest
	}
	return paneAt(ns, w.width)
}

// paneAt returns ns/width, rounded down.
func paneAt(ns, width int64) int64 {
	k := ns / width
	if ns%width < 0 {
		k--
	}
	return k
}

// earliest is the first time that is told apart, in 1823: early enough, and panes
// before it still have numbers.
const earliest = math.MinInt64 / 2

// nanoseconds is UnixNano, but for times before earliest and for those after 2262,
// which it cannot say, the nearest that there is.
func nanoseconds(t time.Time) int64 {
	switch s := t.Unix(); {
	case s >= math.MaxInt64/1_000_000_000:
		return math.MaxInt64
	case s <= earliest/1_000_000_000:
		return earliest
	}
	return t.UnixNano()
}

// isLive says whether pane k is in the window whose newest pane is that one, and
// not after it.
func (w *Window) isLive(k, newest int64) bool {
	return k <= newest && uint64(newest)-uint64(k) < uint64(len(w.panes))
}

// pane returns the sketch of a live pane.
func (w *Window) pane(k int64) *Sketch {
	n := int64(len(w.panes))
	i := k % n
	if i < 0 {
		i += n
	}
	return &w.panes[i]
}

// turnTo makes pane k the newest, and forgets those that it takes out of the
// window.
func (w *Window) turnTo(k int64) {
	gone := 0
	if w.begun {
		gone = int(min(uint64(k)-uint64(w.newest), uint64(len(w.panes))))
	}
	forgot := false
	for i := range gone {
		pane := w.pane(k - int64(i))
		forgot = forgot || !pane.IsEmpty()
		pane.Reset()
	}
	w.begun, w.newest, w.start = true, k, k*w.width
	if forgot {
		w.union.Reset()
		w.includeAll()
	}
}

// includeAll makes the union of all panes, from none.
func (w *Window) includeAll() {
	for i := range w.panes {
		w.union.include(&w.panes[i])
	}
}
