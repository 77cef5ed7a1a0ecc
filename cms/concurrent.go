package cms

import (
	"math"
	"sync"
	"sync/atomic"
)

// Concurrent is a [Sketch] for any number of goroutines that add and count at the
// same time. An estimate is never below the additions that returned before it was
// asked for.
//
// A plain Concurrent takes no locks: an addition is an atomic one in each row, which
// takes several times as long as in a Sketch. Goroutines that can have a Sketch each,
// merged when somebody asks, are faster, and answer later.
//
// A conservative one has locks for 128 groups of keys. There it is not enough to
// raise cells by compare-and-swap: two additions of one key would read the same
// minimum, both raise it by one, and one of them would be lost. What must be in
// turn are the additions of one key; those of other keys only raise its cells.
//
// Store its Snapshot. The zero Concurrent counts nothing; adding to it panics.
type Concurrent struct {
	counters
	stripes *[stripes]stripe // nil unless conservative
	keyed
}

const stripes = 128

// stripe is a lock and what was added under it, in a cache line pair of its own.
type stripe struct {
	sync.Mutex
	total uint64
	_     [112]byte
}

// NewConcurrent returns an empty Concurrent; parameters, size and options are
// those of [New].
func NewConcurrent(epsilon, delta float64, opts ...Option) (*Concurrent, error) {
	width, depth, err := sizeFor(epsilon, delta)
	if err != nil {
		return nil, err
	}
	s, err := newSketch("NewConcurrent", width, depth, opts)
	if err != nil {
		return nil, err
	}
	c := &Concurrent{counters: s.counters, keyed: s.keyed}
	if c.conservative {
		c.stripes = new([stripes]stripe)
	}
	return c, nil
}

// Add counts key once and returns its new estimate.
func (c *Concurrent) Add(key []byte) uint64 { return c.AddHashN(c.Hash(key), 1) }

// AddString is Add for a string.
func (c *Concurrent) AddString(key string) uint64 { return c.AddHashN(c.HashString(key), 1) }

// AddHash counts the key that h identifies; see Sketch.AddHash.
func (c *Concurrent) AddHash(h uint64) uint64 { return c.AddHashN(h, 1) }

// AddN counts key n times, at the cost of one, and returns its new estimate.
func (c *Concurrent) AddN(key []byte, n uint64) uint64 { return c.AddHashN(c.Hash(key), n) }

// AddStringN is AddN for a string.
func (c *Concurrent) AddStringN(key string, n uint64) uint64 { return c.AddHashN(c.HashString(key), n) }

// AddHashN is AddN for the key that h identifies.
func (c *Concurrent) AddHashN(h, n uint64) uint64 {
	if c.width == 0 {
		panic("cms: Add to a zero Concurrent, make one with NewConcurrent")
	}
	x, g := spread(h)
	if !c.conservative {
		return c.addShared(x, g, n)
	}
	s := &c.stripes[x%stripes]
	s.Lock()
	defer s.Unlock()
	s.total = plus(s.total, n)
	target := plus(c.lowestShared(x, g), n)
	if c.wide == nil {
		target = min(target, math.MaxUint32)
	}
	for i := range c.depth {
		c.raiseShared(place(c.width, i, x, g), target)
	}
	return target
}

// addShared adds n to all cells of a key. Most additions are small, to narrow cells
// that are far from full; those take no call a row.
func (c *Concurrent) addShared(x, g, n uint64) uint64 {
	least, w, narrow := uint64(math.MaxUint64), c.width, c.narrow
	for i := range c.depth {
		at := place(w, i, x, g)
		if n < smallAddend && narrow != nil {
			if p := &narrow[at]; atomic.LoadUint32(p) < 1<<31 {
				least = min(least, uint64(atomic.AddUint32(p, uint32(n))))
				continue
			}
		}
		least = min(least, c.addCell(at, n))
	}
	return least
}

// smallAddend bounds what is added to a cell without compare-and-swap. Below half
// full, it would take millions of goroutines between the look and the addition to
// wrap the cell.
const smallAddend = 1 << 8

// addCell adds n to a cell, which stays full when it is.
func (c *Concurrent) addCell(i, n uint64) uint64 {
	if c.wide != nil {
		p := &c.wide[i]
		if n < 1<<32 && atomic.LoadUint64(p) < 1<<63 {
			return atomic.AddUint64(p, n)
		}
		for {
			old := atomic.LoadUint64(p)
			if v := plus(old, n); atomic.CompareAndSwapUint64(p, old, v) {
				return v
			}
		}
	}
	p := &c.narrow[i]
	for {
		old := atomic.LoadUint32(p)
		if v := plus(old, narrowed[uint32](n)); atomic.CompareAndSwapUint32(p, old, v) {
			return uint64(v)
		}
	}
}

// raiseShared lifts a cell to at least v.
func (c *Concurrent) raiseShared(i, v uint64) {
	for {
		old := c.load(i)
		if old >= v || c.swap(i, old, v) {
			return
		}
	}
}

func (c *Concurrent) load(i uint64) uint64 {
	if c.wide != nil {
		return atomic.LoadUint64(&c.wide[i])
	}
	return uint64(atomic.LoadUint32(&c.narrow[i]))
}

func (c *Concurrent) swap(i, old, v uint64) bool {
	if c.wide != nil {
		return atomic.CompareAndSwapUint64(&c.wide[i], old, v)
	}
	return atomic.CompareAndSwapUint32(&c.narrow[i], uint32(old), uint32(v))
}

func (c *Concurrent) lowestShared(x, g uint64) uint64 {
	m := uint64(math.MaxUint64)
	for i := range c.depth {
		m = min(m, c.load(place(c.width, i, x, g)))
	}
	return m
}

// Count returns an estimate of how often key was added; see Sketch.Count.
func (c *Concurrent) Count(key []byte) uint64 { return c.CountHash(c.Hash(key)) }

// CountString is Count for a string.
func (c *Concurrent) CountString(key string) uint64 { return c.CountHash(c.HashString(key)) }

// CountHash is Count for the key that h identifies.
func (c *Concurrent) CountHash(h uint64) uint64 {
	if c.width == 0 {
		return 0
	}
	x, g := spread(h)
	return c.lowestShared(x, g)
}

// Total returns how many additions were counted, all keys together. A plain
// Concurrent sums a row for it; with full counters the result is a lower bound.
func (c *Concurrent) Total() uint64 {
	total := uint64(0)
	if c.stripes != nil {
		for i := range c.stripes {
			s := &c.stripes[i]
			s.Lock()
			total = plus(total, s.total)
			s.Unlock()
		}
		return total
	}
	for i := range c.width {
		total = plus(total, c.load(i))
	}
	return total
}

// ErrorBound returns e/width times Total, rounded up; see Sketch.ErrorBound. It
// costs a Total.
func (c *Concurrent) ErrorBound() uint64 { return errorBound(c.width, c.Total()) }

// Merge adds the counts of other, which must not change meanwhile and have the
// same size, kind and secret, else the error is ErrIncompatible.
func (c *Concurrent) Merge(other *Sketch) error {
	if c.width == 0 {
		panic("cms: Merge into a zero Concurrent, make one with NewConcurrent")
	}
	mine := Sketch{counters: c.counters, keyed: c.keyed}
	if err := mine.pair(other, "merge"); err != nil {
		return err
	}
	// A conservative addition between two of these cells would raise one of them
	// by a minimum that does not have the other's share yet.
	defer c.lock()()
	for i := range c.width * c.depth {
		if n := other.at(i); n > 0 {
			c.addCell(i, n)
		}
	}
	if c.stripes != nil {
		c.stripes[0].total = plus(c.stripes[0].total, other.total)
	}
	return nil
}

// lock keeps conservative additions out until the function that it returns is
// called.
func (c *Concurrent) lock() (unlock func()) {
	if c.stripes == nil {
		return func() {}
	}
	for i := range c.stripes {
		c.stripes[i].Lock()
	}
	return func() {
		for i := range c.stripes {
			c.stripes[i].Unlock()
		}
	}
}

// Snapshot returns a Sketch with what was added before the call, and perhaps some
// of what is added during it.
func (c *Concurrent) Snapshot() *Sketch {
	s := &Sketch{counters: c.counters, keyed: c.keyed}
	s.narrow, s.wide = nil, nil
	defer c.lock()()
	if c.wide != nil {
		s.wide = make([]uint64, len(c.wide))
		for i := range s.wide {
			s.wide[i] = atomic.LoadUint64(&c.wide[i])
		}
	} else if c.narrow != nil {
		s.narrow = make([]uint32, len(c.narrow))
		for i := range s.narrow {
			s.narrow[i] = atomic.LoadUint32(&c.narrow[i])
		}
	}
	s.total = s.fullestRow() // rows differ by what was added while they were read
	if c.stripes != nil {
		s.total = 0
		for i := range c.stripes {
			s.total = plus(s.total, c.stripes[i].total)
		}
	}
	return s
}

// Reset sets all counts to 0. What is added during it may be counted in some rows
// and not in others: let no goroutine add meanwhile if none may be lost.
func (c *Concurrent) Reset() {
	defer c.lock()()
	for i := range c.wide {
		atomic.StoreUint64(&c.wide[i], 0)
	}
	for i := range c.narrow {
		atomic.StoreUint32(&c.narrow[i], 0)
	}
	if c.stripes != nil {
		for i := range c.stripes {
			c.stripes[i].total = 0
		}
	}
}

// SizeBytes returns the memory that counters and locks take.
func (c *Concurrent) SizeBytes() int {
	n := 4*cap(c.narrow) + 8*cap(c.wide)
	if c.stripes != nil {
		n += stripes * 128
	}
	return n
}
