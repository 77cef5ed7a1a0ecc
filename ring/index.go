package ring

import "math/bits"

// index finds the first token at or after a hash in about one step. The circle
// is cut into 2^k equal buckets. The entry of a bucket holds the first two tokens
// at or after its start, each as its node and, in 16 bits, its place in the
// bucket, or 0xffff for one that is behind it. A hash that is clearly before
// either has its answer by one access to memory, and without a branch between the
// two. The few others search the sorted points, from where rank says that a group
// of buckets begins.
//
//	hash     ─┬─ top k bits: bucket   the next 16: place in the bucket
//	entries  [ place,node place,node | place,node 0xffff,node | 0xffff,node ...
//	rank     [ 0 | 4 | 5 ...          a group of buckets each
//	points   [ x, y, z, ... , x, x ]  sentinels behind them stand for the first
//
// There are 2 to 4 buckets a point up to 2^16 points, of which 3 % of all hashes
// are in doubt, and half as many above, to fit into the CPU's cache: 12 %. The
// layout depends on the points only.
type index struct {
	entries []uint64 // a bucket each: the nearer token in the low half
	points  []uint64 // sorted, and sentinels behind
	rank    []uint32 // a group of buckets each, and the number of points behind
	shift   uint8    // h >> shift is the bucket and the 16 bits of the place
}

const groupBits = 1 // a group has 2 buckets

// sentinels are how many points behind the others stand for the first: as many
// as are compared at once.
const sentinels = 4

// newIndex takes over points, which are sorted and not empty, and appends the
// sentinels, for which there had better be room.
func newIndex(points []uint64) index {
	n := len(points)
	want := n
	if n <= 1<<16 {
		want = 2 * n
	}
	k := max(groupBits+1, bits.Len(uint(want-1)))
	last := ^uint64(nodeMask) | points[0]&nodeMask
	x := index{
		entries: make([]uint64, 1<<k+stride), // the rest is cut off below
		points:  append(points, last, last, last, last),
		rank:    make([]uint32, 1<<(k-groupBits)+1),
		shift:   uint8(64 - k - 16),
	}
	x.fillRank()
	x.fillEntries()
	x.entries = x.entries[:1<<k]
	return x
}

// fillRank makes a histogram of the points over the groups, and sums it up.
func (x *index) fillRank() {
	shift := (x.shift + 16 + groupBits) & 63
	for _, p := range x.tokens() {
		x.rank[p>>shift+1]++
	}
	sum := uint32(0)
	for g, n := range x.rank {
		sum += n
		x.rank[g] = sum
	}
}

// stride is how many entries are written at once.
const stride = 8

// fillEntries goes through the points. Each is what the buckets need from behind
// the one of the last point to its own: nearly always less than stride, which are
// written without asking how many are due, for what is too much will be
// overwritten. So hardly a branch depends on the points.
func (x *index) fillEntries() {
	shift, entries, next := x.shift&63, x.entries, 0
	for i, p := range x.tokens() {
		at := p >> shift
		b := int(at >> 16)
		behind := (nodeMask<<16 | p&nodeMask) * (1<<32 + 1)
		few := (*[stride]uint64)(entries[next:])
		few[0], few[1], few[2], few[3] = behind, behind, behind, behind
		few[4], few[5], few[6], few[7] = behind, behind, behind, behind
		for j := next + stride; j < b; j++ {
			entries[j] = behind
		}
		q := x.points[i+1]
		place := min(q>>shift-at&^nodeMask, nodeMask)
		entry := place<<48 | q&nodeMask<<32 | at&nodeMask<<16 | p&nodeMask
		if old := entries[b]; b < next {
			entry = old // p is not the first of its bucket
		}
		entries[b] = entry
		next = b + 1
	}
	for j := next; j < len(entries); j++ {
		entries[j] = (nodeMask<<16 | x.points[0]&nodeMask) * (1<<32 + 1)
	}
}

// tokens returns the points without the sentinels.
func (x *index) tokens() []uint64 {
	if len(x.points) == 0 {
		return nil
	}
	return x.points[:len(x.points)-sentinels]
}

// node returns the index of h's owner, -1 if there are no points.
func (x *index) node(h uint64) int {
	at := h >> (x.shift & 63)
	b := at >> 16
	if b >= uint64(len(x.entries)) {
		return -1
	}
	e := x.entries[b]
	place := uint32(at) << 16
	near := uint32(e)
	if place > near|nodeMask { // behind the first
		near = uint32(e >> 32)
	}
	if place|nodeMask < near { // before this one
		return int(near & nodeMask)
	}
	return x.scan(h)
}

// scan returns the node for an h that its bucket's entry does not decide.
//
//go:noinline
func (x *index) scan(h uint64) int { return int(x.points[x.find(h)] & nodeMask) }

// longScan is after how many points of one group the search turns binary: only
// tokens of the user's own crowd a group so.
const longScan = 24

// find returns the position of the first point at or after h; it is that of a
// sentinel if none is. It compares four points at once, for a loop over single
// ones ends where no branch predictor expects it.
func (x *index) find(h uint64) int {
	group := h >> ((x.shift + 16 + groupBits) & 63)
	i := int(x.rank[group])
	for end := i + longScan; i < end; i += 4 {
		p := (*[sentinels]uint64)(x.points[i:])
		_, a := bits.Sub64(p[0]|nodeMask, h, 0)
		_, b := bits.Sub64(p[1]|nodeMask, h, 0)
		_, c := bits.Sub64(p[2]|nodeMask, h, 0)
		_, d := bits.Sub64(p[3]|nodeMask, h, 0)
		if d == 0 { // p[3] is not before h
			return i + int(a+b+c)
		}
	}
	for end := int(x.rank[group+1]); i < end; {
		mid := int(uint(i+end) >> 1)
		if x.points[mid]|nodeMask < h {
			i = mid + 1
		} else {
			end = mid
		}
	}
	return i
}
