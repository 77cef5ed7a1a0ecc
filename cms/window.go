package cms

import (
	"fmt"
	"slices"
	"time"
)

// Window counts how often keys were added during the last while: a plain count-min
// sketch with a counter for each of several panes of time in the place of each
// counter. Panes have a width of window/(panes-1) and begin at multiples of that
// since the Unix epoch, so that the windows of several nodes merge pane by pane.
// What it covers ends now and began at least a window and at most a window and a
// pane ago; nothing in it is missed. A count is the sum, over the panes, of the
// smallest counter in each, which is closer to the truth than the smallest sum.
//
// The panes of a counter lie side by side, so a key costs a cache line a row,
// as in a [Sketch]. Panes that are over are cleared in the neighborhood of what is
// added, a few lines at a time: no addition waits for a turn of the window, and
// none passes over all counters.
//
// A time before the newest pane counts as the newest pane, for additions and
// queries alike, so a clock that is set back loses nothing. One that was far ahead
// ends the window's sliding until that time has come, or Reset. Times before 1823 and
// after 2262 are taken for the nearest of those between.
//
// Any number of goroutines may query a Window; changes need exclusion. The zero
// Window counts nothing and is there to be decoded into; adding to it panics.
type Window struct {
	width, depth, panes uint64
	narrow              []uint32 // row after row of columns, of the panes of one key each
	wide                []uint64 // nil unless WithWideCounters
	current             []int64  // for each neighborhood, the pane up to which it is cleared
	totals              []uint64 // of each pane
	window              time.Duration
	clock
	keyed
}

const (
	defaultPanes = 8
	minPanes     = 2
	maxPanes     = 64
	// neighborhood is how many places are cleared at a time: few, so that no addition
	// takes long, but enough that the times of clearing need little memory.
	neighborhood = 16
)

// WithPanes (Window): n panes, 2 to 64. The more there are, the closer is what is
// covered to the window, to within 1/(n-1), and the more memory it takes. Default:
// 8.
func WithPanes(n int) Option {
	return func(c *config) {
		c.panes = n
		c.set |= optPanes
		if n < minPanes || n > maxPanes {
			c.err = fmt.Errorf("cms: number of panes is %d, want %d to %d", n, minPanes, maxPanes)
		}
	}
}

// NewWindow returns an empty Window over the last d, d > 0, whose estimates exceed
// the truth by more than epsilon times the total of the window with a probability
// of at most delta. It takes the memory of New(epsilon, delta) times the number of
// panes. Options: WithPanes, WithWideCounters, WithSecret.
func NewWindow(epsilon, delta float64, d time.Duration, opts ...Option) (*Window, error) {
	c, err := newConfig("NewWindow", optPanes|optWide|optSecret, opts)
	if err != nil {
		return nil, err
	}
	width, depth, err := sizeFor(epsilon, delta)
	if err != nil {
		return nil, err
	}
	if d <= 0 {
		return nil, fmt.Errorf("cms: window is %v, want more than 0", d)
	}
	w := &Window{width: width, depth: depth, panes: defaultPanes, window: d, keyed: c.keyed}
	if c.set&optPanes != 0 {
		w.panes = uint64(c.panes)
	}
	if err := checkSize(width, depth, w.panes*counterBytes(c.wide)); err != nil {
		return nil, err
	}
	w.span = paneSpan(d, w.panes)
	n := width * depth
	if c.wide {
		w.wide = make([]uint64, n*w.panes)
	} else {
		w.narrow = make([]uint32, n*w.panes)
	}
	w.current = make([]int64, (n+neighborhood-1)/neighborhood)
	w.totals = make([]uint64, w.panes)
	return w, nil
}

// Add counts key once and returns its new estimate for the window.
func (w *Window) Add(key []byte) uint64 { return w.AddHashNAt(time.Now(), w.Hash(key), 1) }

// AddString is Add for a string.
func (w *Window) AddString(key string) uint64 {
	return w.AddHashNAt(time.Now(), w.HashString(key), 1)
}

// AddHash counts the key that h identifies; see Sketch.AddHash.
func (w *Window) AddHash(h uint64) uint64 { return w.AddHashNAt(time.Now(), h, 1) }

// AddN counts key n times, at the cost of one, and returns its new estimate.
func (w *Window) AddN(key []byte, n uint64) uint64 { return w.AddHashNAt(time.Now(), w.Hash(key), n) }

// AddStringN is AddN for a string.
func (w *Window) AddStringN(key string, n uint64) uint64 {
	return w.AddHashNAt(time.Now(), w.HashString(key), n)
}

// AddHashN is AddN for the key that h identifies.
func (w *Window) AddHashN(h, n uint64) uint64 { return w.AddHashNAt(time.Now(), h, n) }

// AddAt is Add at a given time.
func (w *Window) AddAt(now time.Time, key []byte) uint64 { return w.AddHashNAt(now, w.Hash(key), 1) }

// AddStringAt is AddString at a given time.
func (w *Window) AddStringAt(now time.Time, key string) uint64 {
	return w.AddHashNAt(now, w.HashString(key), 1)
}

// AddHashAt is AddHash at a given time.
func (w *Window) AddHashAt(now time.Time, h uint64) uint64 { return w.AddHashNAt(now, h, 1) }

// AddNAt is AddN at a given time.
func (w *Window) AddNAt(now time.Time, key []byte, n uint64) uint64 {
	return w.AddHashNAt(now, w.Hash(key), n)
}

// AddStringNAt is AddStringN at a given time.
func (w *Window) AddStringNAt(now time.Time, key string, n uint64) uint64 {
	return w.AddHashNAt(now, w.HashString(key), n)
}

// AddHashNAt is AddHashN at a given time.
func (w *Window) AddHashNAt(now time.Time, h, n uint64) uint64 {
	if w.width == 0 {
		panic("cms: Add to a zero Window, make one with NewWindow")
	}
	if n == 0 {
		return w.CountHashAt(now, h)
	}
	w.turn(unixNano(now))
	w.totals[w.slot] = plus(w.totals[w.slot], n)
	x, g := spread(h)
	if w.wide != nil {
		return addPanes(w, w.wide, x, g, n)
	}
	return addPanes(w, w.narrow, x, g, narrowed[uint32](n))
}

// Count returns an estimate of how often key was added during the window: at least
// that often, and with probability 1-Delta at most ErrorBound more.
func (w *Window) Count(key []byte) uint64 { return w.CountHashAt(time.Now(), w.Hash(key)) }

// CountString is Count for a string.
func (w *Window) CountString(key string) uint64 {
	return w.CountHashAt(time.Now(), w.HashString(key))
}

// CountHash is Count for the key that h identifies.
func (w *Window) CountHash(h uint64) uint64 { return w.CountHashAt(time.Now(), h) }

// CountAt is Count at a given time.
func (w *Window) CountAt(now time.Time, key []byte) uint64 { return w.CountHashAt(now, w.Hash(key)) }

// CountStringAt is CountString at a given time.
func (w *Window) CountStringAt(now time.Time, key string) uint64 {
	return w.CountHashAt(now, w.HashString(key))
}

// CountHashAt is CountHash at a given time.
func (w *Window) CountHashAt(now time.Time, h uint64) uint64 {
	if w.width == 0 {
		return 0
	}
	x, g := spread(h)
	if w.wide != nil {
		return countPanes(w, w.wide, x, g, w.over(unixNano(now)))
	}
	return countPanes(w, w.narrow, x, g, w.over(unixNano(now)))
}

// Total returns how many additions the window covers, all keys together.
func (w *Window) Total() uint64 { return w.TotalAt(time.Now()) }

// TotalAt is Total at a given time.
func (w *Window) TotalAt(now time.Time) (total uint64) {
	if w.width == 0 {
		return 0
	}
	for age := range w.panes - w.over(unixNano(now)) {
		total = plus(total, w.totals[w.aged(age)])
	}
	return total
}

// ErrorBound returns e/width times Total, rounded up: what an estimate exceeds the
// truth by with a probability of at most Delta.
func (w *Window) ErrorBound() uint64 { return w.ErrorBoundAt(time.Now()) }

// ErrorBoundAt is ErrorBound at a given time.
func (w *Window) ErrorBoundAt(now time.Time) uint64 { return errorBound(w.width, w.TotalAt(now)) }

// Width returns the number of counters a row and pane.
func (w *Window) Width() int { return int(w.width) }

// Depth returns the number of rows.
func (w *Window) Depth() int { return int(w.depth) }

// Window returns the time that counts cover at least.
func (w *Window) Window() time.Duration { return w.window }

// Panes returns the number of panes.
func (w *Window) Panes() int { return int(w.panes) }

// Clone returns a copy of w that shares nothing but the secret.
func (w *Window) Clone() *Window {
	c := *w
	c.narrow, c.wide = slices.Clone(w.narrow), slices.Clone(w.wide)
	c.current, c.totals = slices.Clone(w.current), slices.Clone(w.totals)
	return &c
}

// Reset forgets all counts and times; w keeps its size and secret.
func (w *Window) Reset() {
	clear(w.narrow)
	clear(w.wide)
	clear(w.current)
	clear(w.totals)
	w.clock = clock{span: w.span}
}

// SizeBytes returns the memory that the counters take.
func (w *Window) SizeBytes() int {
	return 4*cap(w.narrow) + 8*cap(w.wide) + 8*cap(w.current) + 8*cap(w.totals)
}
