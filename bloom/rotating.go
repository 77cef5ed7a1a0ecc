package bloom

import (
	"fmt"
	"slices"
	"time"

	"github.com/distkit/distkit/internal/hash64"
)

// Rotating remembers the last n keys, or those of the last while, and forgets
// older ones: a filter for streams that do not end. It is made of generations, of
// which the newest takes the keys; when that is full, or its share of the window
// is over, the oldest becomes the newest and begins empty.
//
// A key is found for certain while fewer than n keys that were new came after its
// last Add; with WithWindow while age/window + keys/n < 1 of those: both count,
// and either alone is the bound when the other is far from its own. After n times
// G/(G-1), or that much of the window, it is forgotten, G being the number of
// generations.
//
// The generations' blocks lie side by side, so a query goes to one place, and the
// oldest is cleared little by little before it is needed: no Add waits for a
// turn, but for those that the clock or Rotate make.
//
// Add and Contains read the clock only with WithWindow; the forms with At take
// the time instead. A clock that is set back turns nothing. Times before 1823 and
// after 2262 are taken for the nearest of those between. Any number of goroutines
// may query a Rotating; changes need exclusion. The zero Rotating contains nothing;
// adding to it panics.
type Rotating struct {
	words  []uint64 // for every block, that of each generation, side by side
	blocks uint64   // of a generation
	panes  uint64   // generations
	newest uint64
	share  uint64 // keys a generation is for
	fill   uint64 // keys that were new to the newest
	swept  uint64 // blocks of the oldest that are cleared already
	window time.Duration
	begun  bool  // with a window: something was added, and start is set
	start  int64 // when the newest began, in Unix nanoseconds
	keyed
}

const (
	defaultPanes = 6
	minPanes     = 2
	maxPanes     = 64
	// sweep is how many blocks of the oldest generation an Add clears, once it is
	// time to. A block serves some 16 keys, so that takes a small share of the
	// Adds of a generation.
	sweep = 4
)

// WithWindow (Rotating): forget by age as well as by count, d > 0. Default: by
// count alone.
func WithWindow(d time.Duration) Option {
	return func(c *config) {
		c.window = d
		c.set |= optWindow
		if d <= 0 {
			c.err = fmt.Errorf("bloom: window is %v, want more than 0", d)
		}
	}
}

// WithPanes (Rotating): use n generations, 2 to 64. More forget more exactly, and
// read more memory a query. At 1 % the bits a key are 24.7 for 2, 18.9 for 4, 18.4
// for 6, 18.8 for 10. Default: 6.
func WithPanes(n int) Option {
	return func(c *config) {
		c.panes = n
		c.set |= optPanes
		if n < minPanes || n > maxPanes {
			c.err = fmt.Errorf("bloom: number of panes is %d, want %d to %d", n, minPanes, maxPanes)
		}
	}
}

// NewRotating returns an empty Rotating for the last n keys, n >= 1, at a
// false-positive rate of at most p, p < 1, at least 1e-6 times the number of
// generations. Options: WithSecret, WithMaxBytes, WithWindow, WithPanes.
func NewRotating(n uint64, p float64, opts ...Option) (*Rotating, error) {
	c, err := newConfig("NewRotating", optSecret|optMaxBytes|optWindow|optPanes, opts)
	if err != nil {
		return nil, err
	}
	panes := uint64(defaultPanes)
	if c.set&optPanes != 0 {
		panes = uint64(c.panes)
	}
	if err := checkCount(n); err != nil {
		return nil, err
	}
	if err := checkRate(p, minRate*float64(panes), "generations share it"); err != nil {
		return nil, err
	}
	if c.window != 0 && c.window < time.Duration(panes-1) {
		return nil, fmt.Errorf("bloom: window is %v, want at least %v for %d generations", c.window, time.Duration(panes-1), panes)
	}
	z, share, err := rotatingSize(n, p/float64(panes), panes)
	if err != nil {
		return nil, err
	}
	if err := c.fits(z * panes * blockBytes); err != nil {
		return nil, err
	}
	return &Rotating{
		words: make([]uint64, z*panes*blockWords), blocks: z, panes: panes, share: share, window: c.window, keyed: c.keyed,
	}, nil
}

// rotatingSize returns the blocks and the keys of a generation. While the last
// keys of one are added, the oldest is cleared and no longer counts; so all but
// the oldest must be for n keys and for those.
func rotatingSize(n uint64, p float64, panes uint64) (z, share uint64, err error) {
	share = (n-1)/(panes-1) + 1
	if z, err = blocksFor(share, p, false); err != nil {
		return 0, 0, err
	}
	for (panes-1)*share < n+lead(z) {
		share = (n-1+lead(z))/(panes-1) + 1
		if z, err = blocksFor(share, p, false); err != nil {
			return 0, 0, err
		}
	}
	return z, share, nil
}

// lead returns how many Adds clearing z blocks takes.
func lead(z uint64) uint64 { return (z + sweep - 1) / sweep }

// Add adds key and reports whether it was new to the filter. A key that is added
// again counts as recent again.
func (r *Rotating) Add(key []byte) bool { return r.AddHashAt(r.now(), r.Hash(key)) }

// AddString is Add for a string.
func (r *Rotating) AddString(key string) bool { return r.AddHashAt(r.now(), r.HashString(key)) }

// AddHash adds the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys. It need not be uniform.
func (r *Rotating) AddHash(h uint64) bool { return r.AddHashAt(r.now(), h) }

// AddHashes adds all keys of hs, as AddHash does.
func (r *Rotating) AddHashes(hs []uint64) {
	now := r.now()
	for _, h := range hs {
		r.AddHashAt(now, h)
	}
}

// AddAt is Add at a given time.
func (r *Rotating) AddAt(now time.Time, key []byte) bool { return r.AddHashAt(now, r.Hash(key)) }

// AddStringAt is AddString at a given time.
func (r *Rotating) AddStringAt(now time.Time, key string) bool {
	return r.AddHashAt(now, r.HashString(key))
}

// AddHashAt is AddHash at a given time.
func (r *Rotating) AddHashAt(now time.Time, h uint64) bool {
	if len(r.words) == 0 {
		panic("bloom: Add to a zero Rotating, make one with NewRotating")
	}
	r.turnTo(now)
	h = hash64.Mix(h, saltBloom)
	group := r.group(h)
	found := containsAny(group, h)
	if r.set(group, h) {
		r.fill++
		if r.fill+lead(r.blocks) >= r.share {
			r.sweepSome(sweep)
		}
		if r.fill == r.share {
			r.turn(unixNano(now))
		}
	}
	return !found
}

// Contains reports whether key may have been added lately: false means that it
// was not, or that it is forgotten.
func (r *Rotating) Contains(key []byte) bool { return r.ContainsHashAt(r.now(), r.Hash(key)) }

// ContainsString is Contains for a string.
func (r *Rotating) ContainsString(key string) bool {
	return r.ContainsHashAt(r.now(), r.HashString(key))
}

// ContainsHash is Contains for the key that h identifies.
func (r *Rotating) ContainsHash(h uint64) bool {
	if r.window != 0 {
		return r.ContainsHashAt(time.Now(), h)
	}
	return len(r.words) > 0 && r.find(h)
}

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true.
func (r *Rotating) ContainsHashes(out []bool, hs []uint64) (present int) {
	now := r.now()
	for i := range min(len(out), len(hs)) {
		if out[i] = r.ContainsHashAt(now, hs[i]); out[i] {
			present++
		}
	}
	return present
}

// ContainsAt is Contains at a given time: it passes over generations that have
// expired by then, and changes nothing. A time before the newest generation began
// sees everything.
func (r *Rotating) ContainsAt(now time.Time, key []byte) bool {
	return r.ContainsHashAt(now, r.Hash(key))
}

// ContainsStringAt is ContainsString at a given time.
func (r *Rotating) ContainsStringAt(now time.Time, key string) bool {
	return r.ContainsHashAt(now, r.HashString(key))
}

// ContainsHashAt is ContainsHash at a given time.
func (r *Rotating) ContainsHashAt(now time.Time, h uint64) bool {
	if len(r.words) == 0 {
		return false
	}
	if due := r.due(now); due > 0 {
		return r.findLive(h, r.panes-min(due, r.panes))
	}
	return r.find(h)
}

// Rotate turns: the newest generation takes no more keys, and the oldest is
// forgotten.
func (r *Rotating) Rotate() { r.RotateAt(r.now()) }

// RotateAt is Rotate at a given time.
func (r *Rotating) RotateAt(now time.Time) {
	if len(r.words) == 0 {
		return
	}
	r.turnTo(now)
	r.turn(unixNano(now))
}

// Clone returns a copy of r that shares nothing but the secret.
func (r *Rotating) Clone() *Rotating {
	s := *r
	s.words = slices.Clone(r.words)
	return &s
}

// Equal reports whether r and other have the same parameters, secret and state.
func (r *Rotating) Equal(other *Rotating) bool {
	return other != nil && r.panes == other.panes && r.newest == other.newest && r.share == other.share &&
		r.fill == other.fill && r.swept == other.swept && r.window == other.window && r.begun == other.begun && r.start == other.start &&
		r.sameSecret(&other.keyed) && slices.Equal(r.words, other.words)
}

// Reset forgets all keys.
func (r *Rotating) Reset() {
	clear(r.words)
	r.newest, r.fill, r.swept, r.begun, r.start = 0, 0, 0, false, 0
}

// Bits returns the number of bits of all generations.
func (r *Rotating) Bits() uint64 { return 64 * uint64(len(r.words)) }

// SizeBytes returns the memory that the bits take.
func (r *Rotating) SizeBytes() int { return 8 * len(r.words) }
