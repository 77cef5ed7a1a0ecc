package bloom

import (
	"fmt"
	"math"
	"slices"

	"github.com/distkit/distkit/internal/hash64"
)

// Static is the smallest filter: built once from all its keys, then immutable. It
// is a binary fuse filter (Graf and Lemire 2022) with fingerprints of any width:
// at r bits its rate is 2^-r, for 1.125 r bits a key in large filters, which is
// 7.9 at 1 % where a [Classic] needs 9.6. A query reads three places.
//
// Any number of goroutines may query a Static. The zero Static contains nothing
// and is there to be decoded into.
type Static struct {
	fuse
	table []byte // fingerprints of width bits, and 8 bytes to read across the end
	keyed
}

// fuse says where the three fingerprints of a key are. The table is cut into
// segments of a power of two; a key has one place in each of three neighbors.
type fuse struct {
	seed     uint64
	segments uint64 // where the first of the three may be; 0: no keys
	segment  uint64 // places in one
	width    uint64 // of a fingerprint, in bits

	offset uint64 // what the seed adds to a hash
	span   uint64 // places where the first of the three may be
}

// prepared returns f with what its other fields imply.
func (f fuse) prepared() fuse {
	f.offset, f.span = f.seed*0x9e3779b97f4a7c15, f.segments*f.segment
	return f
}

const (
	minStaticRate = 1.0 / (1 << 32)
	maxSegment    = 1 << 18
	maxPlaces     = 1 << 40
	staticPad     = 8
)

// NewStatic returns a Static of the keys that hashes identify: their distkit.Hash
// values, or any other 64-bit values that are different for different keys. The
// same one may come twice, there may be none, and the slice is not changed. The
// rate is at most p, 2^-32 <= p < 1: it is 2^-r for the least r that does. It
// takes some 100 ns a key, and 30 bytes of memory for the time being. Options:
// WithSecret, WithMaxBytes.
func NewStatic(hashes []uint64, p float64, opts ...Option) (*Static, error) {
	c, err := newConfig("NewStatic", optSecret|optMaxBytes, opts)
	if err != nil {
		return nil, err
	}
	if err := checkRate(p, minStaticRate, "fingerprints have at most 32 bits"); err != nil {
		return nil, err
	}
	width := uint64(math.Ceil(-math.Log2(p)))
	if len(hashes) == 0 {
		return &Static{fuse: fuse{width: width}, keyed: c.keyed}, nil
	}
	keys, distinct := hashes, false
	for attempt := uint64(0); ; attempt++ {
		f := fuseFor(uint64(len(keys)), width, attempt)
		if f.places() > maxPlaces {
			return nil, fmt.Errorf("bloom: %d keys need %d places, want at most 2^40", len(keys), f.places())
		}
		if err := c.fits(f.bytes()); err != nil {
			return nil, err
		}
		if table, ok := f.build(keys); ok {
			return &Static{f, table, c.keyed}, nil
		}
		// Keys that come twice never work out; most callers have none, so they
		// are looked for when it matters.
		if !distinct {
			keys = slices.Clone(hashes)
			slices.Sort(keys)
			keys, distinct = slices.Compact(keys), true
			attempt = math.MaxUint64 // begin anew, with 0
		}
	}
}

// fuseFor returns the layout for n keys. Every attempt takes another seed, one
// more segment and, from the tenth on, a tenth more room: at some sizes (around
// 11 500) the least that theory asks for fails every third time.
func fuseFor(n, width, attempt uint64) fuse {
	segment := uint64(4)
	room := 0.0
	if n > 1 {
		log := math.Log(float64(n))
		segment = min(uint64(1)<<int(log/math.Log(3.33)+2.25), maxSegment)
		room = math.Round(float64(n) * max(1.125, 0.875+0.25*math.Log(1e6)/log))
	}
	if attempt >= 10 {
		room *= 1 + 0.1*float64(attempt-9)
	}
	segments := uint64(1)
	if all := (uint64(room) + segment - 1) / segment; all > 3 {
		segments = all - 2
	}
	return fuse{seed: attempt, segments: segments + attempt, segment: segment, width: width}.prepared()
}

func (f *fuse) places() uint64 {
	if f.segments == 0 {
		return 0
	}
	return (f.segments + 2) * f.segment
}

func (f *fuse) bytes() uint64 {
	if f.segments == 0 {
		return 0
	}
	return (f.places()*f.width+7)/8 + staticPad
}

// mixed returns the hash from which places and fingerprint are taken.
func (f *fuse) mixed(h uint64) uint64 { return hash64.Mix(h+f.offset, saltBloom) }

func (f *fuse) at(h uint64) (i0, i1, i2 uint64) {
	mask := f.segment - 1
	i0 = hash64.Reduce(h, f.span)
	i1 = i0 + f.segment ^ h>>18&mask
	i2 = i0 + 2*f.segment ^ h&mask
	return i0, i1, i2
}

// missing returns what the fingerprint of a mixed hash and its places in table
// differ by: 0 for a key that is in.
func (f *fuse) missing(table []byte, h uint64) uint64 {
	i0, i1, i2 := f.at(h)
	return (h ^ h>>32 ^ f.load(table, i0) ^ f.load(table, i1) ^ f.load(table, i2)) & (1<<(f.width&63) - 1)
}

// load returns place i of table in its low bits, and what follows in the others.
func (f *fuse) load(table []byte, i uint64) uint64 {
	return load64(table, i*f.width>>3) >> (i * f.width & 7)
}

// ContainsHash is Contains for the key that h identifies.
func (s *Static) ContainsHash(h uint64) bool {
	if s.segments == 0 {
		return false
	}
	// This is missing, which is too large to be inlined.
	h = s.mixed(h)
	i0, i1, i2 := s.at(h)
	if t := s.table; s.width == 8 { // fingerprints are bytes: a fifth faster
		return byte(h^h>>32)^t[i0]^t[i1]^t[i2] == 0
	}
	x := s.load(s.table, i0) ^ s.load(s.table, i1) ^ s.load(s.table, i2)
	return (h^h>>32^x)&(1<<(s.width&63)-1) == 0
}

// Contains reports whether key may be in: false means it is not. A key given as
// bytes is hashed with XXH64, or under WithSecret with SipHash.
func (s *Static) Contains(key []byte) bool { return s.ContainsHash(s.Hash(key)) }

// ContainsString is Contains for a string.
func (s *Static) ContainsString(key string) bool { return s.ContainsHash(s.HashString(key)) }

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true.
func (s *Static) ContainsHashes(out []bool, hs []uint64) (present int) {
	for i := range min(len(out), len(hs)) {
		if out[i] = s.ContainsHash(hs[i]); out[i] {
			present++
		}
	}
	return present
}

// Rate returns the false-positive rate, 2^-r; 0 without keys.
func (s *Static) Rate() float64 {
	if s.segments == 0 {
		return 0
	}
	return math.Ldexp(1, -int(s.width))
}

// Equal reports whether s and other have the same layout, secret and fingerprints.
func (s *Static) Equal(other *Static) bool {
	return other != nil && s.fuse == other.fuse && s.sameSecret(&other.keyed) && slices.Equal(s.table, other.table)
}

// Bits returns the number of bits of all fingerprints.
func (s *Static) Bits() uint64 { return s.places() * s.width }

// SizeBytes returns the memory that the fingerprints take.
func (s *Static) SizeBytes() int { return len(s.table) }
