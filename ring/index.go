package ring

import "math/bits"

// index finds the first token at or after a hash in about one step. The circle
// is cut into 2^k equal buckets; first holds for each the point with the
// smallest token at or after the bucket's start, which answers most lookups by
// one access to memory, and rank says where in the sorted points it is, from
// where the others scan on.
//
//	hash ──┐ bucket = top k bits
//	first  [ x | x | y | z | z | z ... ]    x|nodeMask >= hash: x is the answer
//	rank   [ 0 | 0 | 1 | 2 | 2 | 2 ... ]    else go on in points from here
//	points [ x, y, z, ... , sentinel ]      the sentinel stands for points[0]
//
// There are 2 to 4 buckets a point up to 2^16 points, and 1 to 2 above, to save
// memory. The layout depends on the points only.
type index struct {
	first  []uint64 // a bucket each
	points []uint64 // sorted, and one sentinel behind
	rank   []uint32 // a bucket each, and the number of points behind
	shift  uint8    // bucket = h >> shift
}

// newIndex takes over points, which are sorted and not empty, and appends the
// sentinel.
func newIndex(points []uint64) index {
	n := len(points)
	want := n
	if n <= 1<<16 {
		want = 2 * n
	}
	k := max(1, bits.Len(uint(want-1)))
	x := index{
		points: append(points, ^uint64(nodeMask)|points[0]&nodeMask),
		rank:   make([]uint32, 1<<k+1),
		shift:  uint8(64 - k),
	}
	// A histogram and its prefix sums: no branch depends on the data.
	shift := x.shift & 63
	for _, p := range points {
		x.rank[p>>shift+1]++
	}
	x.first = make([]uint64, 1<<k)
	sum := uint32(0)
	for b := range x.first {
		sum += x.rank[b]
		x.rank[b] = sum
		x.first[b] = x.points[sum]
	}
	x.rank[1<<k] = uint32(n)
	return x
}

// tokens returns the points without the sentinel.
func (x *index) tokens() []uint64 {
	if len(x.points) == 0 {
		return nil
	}
	return x.points[:len(x.points)-1]
}

// node returns the index of h's owner, -1 if there are no points.
func (x *index) node(h uint64) int {
	b := h >> (x.shift & 63)
	if b >= uint64(len(x.first)) {
		return -1
	}
	p := x.first[b]
	if p|nodeMask < h {
		p = x.scan(h)
	}
	return int(p & nodeMask)
}

// scan returns the first point at or after h, which is not the first of its
// bucket.
//
//go:noinline
func (x *index) scan(h uint64) uint64 { return x.points[x.find(h)] }

// longScan is after how many points of one bucket the search turns binary: only
// tokens of the user's own crowd a bucket so.
const longScan = 24

// find returns the position of the first point at or after h; it is that of the
// sentinel if none is.
func (x *index) find(h uint64) int {
	b := h >> (x.shift & 63)
	i := int(x.rank[b])
	for end := i + longScan; i < end; i++ {
		if x.points[i]|nodeMask >= h {
			return i
		}
	}
	for end := int(x.rank[b+1]); i < end; {
		mid := int(uint(i+end) >> 1)
		if x.points[mid]|nodeMask < h {
			i = mid + 1
		} else {
			end = mid
		}
	}
	return i
}
