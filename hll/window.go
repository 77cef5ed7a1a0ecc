package hll

import (
	"fmt"
	"slices"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

// Window counts the distinct keys of the last while. Time is cut into panes, whose
// borders are the same on every node, and each of the live ones has a [Sketch] of
// its keys: the newest, which is not over, and as many before it as make up the
// window. So an estimate takes in everything of the last d, and up to a pane more:
// d/7 with the 8 panes of the default. More panes forget more exactly and take
// more memory.
//
// The union of the panes is kept up to date. Adding a key that its pane knows costs
// what it costs in a Sketch, and an estimate takes constant time as long as keys
// come; if none came since the pane turned, it merges those that are still live.
// When a pane turns, one Add merges them all: some 40 microseconds at precision 14.
//
// The forms with At take the time instead of the clock. A key that is late goes to
// the pane of its time, and is dropped when that is not live any more. A time in
// the future moves the window there for good: check the times of strangers.
//
// A Window is not safe for concurrent use, except that any number of goroutines may
// query it while none changes it. The zero Window is empty and is there to be
// decoded into; adding to it panics.
type Window struct {
	p      uint8
	d      time.Duration
	width  int64    // of a pane, in nanoseconds
	panes  []Sketch // pane k since the epoch at k mod len
	union  *Sketch  // of all panes
	begun  bool     // something was added, and newest is set
	newest int64    // number of the newest pane, which is not empty
	start  int64    // its time, in nanoseconds modulo 2^64
	keyed
}

const (
	defaultPanes = 8
	minPanes     = 2
	maxPanes     = 64
)

// WithPanes (Window): cut time into panes of d/(n-1), n from 2 to 64, of which n
// are live. Default: 8.
func WithPanes(n int) Option {
	return func(c *config) {
		c.panes = n
		c.set |= optPanes
		if n < minPanes || n > maxPanes {
			c.err = fmt.Errorf("hll: number of panes is %d, want %d to %d", n, minPanes, maxPanes)
		}
	}
}

// NewWindow returns an empty Window over the last d, which is at least a nanosecond
// a pane. Precision, 4 to 18, and errors are those of [New]; memory is that of a
// Sketch for each pane and one more. Options: WithSecret, WithDense, WithPanes.
func NewWindow(precision int, d time.Duration, opts ...Option) (*Window, error) {
	c, err := newConfig("NewWindow", optSecret|optDense|optPanes, opts)
	if err != nil {
		return nil, err
	}
	if err := checkPrecision(precision, MinPrecision, MaxPrecision); err != nil {
		return nil, err
	}
	n := defaultPanes
	if c.set&optPanes != 0 {
		n = c.panes
	}
	if d < time.Duration(n-1) {
		return nil, fmt.Errorf("hll: window is %v, want at least %v for %d panes", d, time.Duration(n-1), n)
	}
	pane := Sketch{p: uint8(precision), dense: c.dense, keyed: c.keyed}
	w := newWindow(pane.p, d, n, c.keyed)
	for i := range w.panes {
		w.panes[i] = pane
	}
	w.union = &pane
	w.Reset()
	return w, nil
}

func newWindow(p uint8, d time.Duration, n int, k keyed) *Window {
	return &Window{p: p, d: d, width: paneWidth(d, n), panes: make([]Sketch, n), keyed: k}
}

// paneWidth returns the length of n-1 panes that make up d.
func paneWidth(d time.Duration, n int) int64 { return (int64(d)-1)/int64(n-1) + 1 }

// Add adds key now and reports whether that changed w. A key that this pane knows
// changes nothing.
func (w *Window) Add(key []byte) bool { return w.AddHashAt(time.Now(), w.Hash(key)) }

// AddString is Add for a string.
func (w *Window) AddString(key string) bool { return w.AddHashAt(time.Now(), w.HashString(key)) }

// AddHash adds the key that h identifies; see [Sketch.AddHash].
func (w *Window) AddHash(h uint64) bool { return w.AddHashAt(time.Now(), h) }

// AddAt is Add at a given time.
func (w *Window) AddAt(now time.Time, key []byte) bool { return w.AddHashAt(now, w.Hash(key)) }

// AddStringAt is AddString at a given time.
func (w *Window) AddStringAt(now time.Time, key string) bool {
	return w.AddHashAt(now, w.HashString(key))
}

// AddHashAt is AddHash at a given time.
func (w *Window) AddHashAt(now time.Time, h uint64) bool {
	if len(w.panes) == 0 {
		panic("hll: Add to a zero Window, make one with NewWindow")
	}
	k := w.paneOf(now)
	if !w.begun || k > w.newest {
		w.turnTo(k)
	}
	if !w.isLive(k, w.newest) || !w.pane(k).AddHash(h) {
		return false
	}
	w.union.AddHash(h)
	return true
}

// Estimate returns the estimated number of distinct keys of the last d. It does not
// modify w.
func (w *Window) Estimate() uint64 { return w.EstimateAt(time.Now()) }

// EstimateAt is Estimate at a given time. Of a time before the newest key's pane it
// is the estimate of that pane's time.
func (w *Window) EstimateAt(now time.Time) uint64 { return w.at(now).Estimate() }

// Snapshot returns a Sketch of the keys of the last d, to be stored, merged, or
// asked for more than an estimate.
func (w *Window) Snapshot() *Sketch { return w.SnapshotAt(time.Now()) }

// SnapshotAt is Snapshot at a given time; see EstimateAt.
func (w *Window) SnapshotAt(now time.Time) *Sketch {
	s := w.at(now)
	if s == w.union {
		return s.Clone()
	}
	return s
}

// at returns the union of the panes that are live at a time, not to be changed if
// it is that of w.
func (w *Window) at(now time.Time) *Sketch {
	if len(w.panes) == 0 {
		return new(Sketch)
	}
	k := w.paneOf(now)
	if !w.begun || k <= w.newest {
		return w.union
	}
	s := &Sketch{p: w.p, keyed: w.keyed}
	for i := range w.panes {
		if old := w.newest - int64(i); w.isLive(old, k) {
			s.include(w.pane(old))
		}
	}
	return s
}

// Merge makes w the window that saw the keys of both at their times, pane by pane.
// The newest pane of either decides what is still live. Another duration, number
// of panes or secret, a coarser other and a zero one are ErrIncompatible, and w is
// as it was; a finer other is folded and not modified.
func (w *Window) Merge(other *Window) error {
	if len(w.panes) == 0 {
		panic("hll: Merge into a zero Window, make one with NewWindow")
	}
	switch {
	case other == nil || len(other.panes) == 0:
		return codec.Incompatible("hll", "merge with a zero window")
	case other.d != w.d || len(other.panes) != len(w.panes):
		return codec.Incompatible("hll", "merge of %v in %d panes into %v in %d", other.d, len(other.panes), w.d, len(w.panes))
	}
	if err := mergeable(w.p, w.keyed, other.union); err != nil {
		return err
	}
	if !other.begun {
		return nil
	}
	if !w.begun || other.newest > w.newest {
		w.turnTo(other.newest)
	}
	for i := range other.panes {
		if k := other.newest - int64(i); w.isLive(k, w.newest) {
			w.pane(k).include(other.pane(k))
			w.union.include(w.pane(k))
		}
	}
	return nil
}

// Clone returns a copy of w that shares nothing but the secret.
func (w *Window) Clone() *Window {
	c := *w
	c.panes = slices.Clone(w.panes)
	for i := range c.panes {
		c.panes[i] = *w.panes[i].Clone()
	}
	if w.union != nil {
		c.union = w.union.Clone()
	}
	return &c
}

// Equal reports whether w and other have the same duration, precision, secret and
// panes, and so the same estimates and images.
func (w *Window) Equal(other *Window) bool {
	return other != nil && w.p == other.p && w.d == other.d && w.begun == other.begun && w.newest == other.newest &&
		w.sameSecret(other.keyed) && slices.EqualFunc(w.panes, other.panes, func(a, b Sketch) bool { return a.Equal(&b) })
}

// Reset empties w.
func (w *Window) Reset() {
	for i := range w.panes {
		w.panes[i].Reset()
	}
	if w.union != nil {
		w.union.Reset()
	}
	w.begun, w.newest, w.start = false, 0, 0
}

// SizeBytes returns the memory that w holds now: at most 2^precision bytes for each
// pane and for their union.
func (w *Window) SizeBytes() int {
	if w.union == nil {
		return 0
	}
	n := w.union.SizeBytes()
	for i := range w.panes {
		n += w.panes[i].SizeBytes()
	}
	return n
}
