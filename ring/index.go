package ring

import "math/bits"

// index finds the first token at or after a hash in about one step. The circle
// is cut into 2^k equal buckets. The entry of a bucket has three lanes, for the
// first three tokens at or after its start: in the low bits the node, above it the
// place in the bucket, as many bits of it as a lane has left; what is behind the
// bucket has the last place. A hash that is clearly before one of the three has
// its answer by one access to memory, and without a branch between them. The few
// others search the sorted points, from where rank says that a group of buckets
// begins.
//
//	hash     ─┬─ top k bits: bucket   the next 21: place in the bucket
//	entries  [ place,node place,node last,node | last,node last,node ...
//	rank     [ 0 | 4 | 5 ...          a group of buckets each
//	points   [ x, y, z, ... , x, x ]  sentinels behind them stand for the first
//
// There are 1 to 2 buckets a point up to 2^16 points, of which 0.4 to 3 % of all
// hashes are in doubt, and 0.75 to 1.5 above, to fit into the CPU's cache: 1 to 5 %.
// The layout depends on the points and the number of nodes only.
type index struct {
	entries []uint64 // a bucket each: the nearest token in the lowest lane
	points  []uint64 // sorted, and sentinels behind
	rank    []uint32 // a group of buckets each, and the number of points behind
	nodes   uint32   // the bits of a lane that are the node
	shift   uint8    // h >> shift is the bucket and the bits of a lane
}

const (
	groupBits = 1 // a group has 2 buckets
	laneBits  = 21
	lane      = 1<<laneBits - 1
)

// sentinels are how many points behind the others stand for the first: as many
// as are compared at once.
const sentinels = 4

// newIndex takes over points of that many nodes, which are sorted and not empty,
// and appends the sentinels, for which there had better be room.
func newIndex(points []uint64, nodes int) index {
	n := len(points)
	k := max(groupBits+1, bits.Len(uint(n-1)))
	if n > 1<<16 && 1<<k > n+n/2 {
		k--
	}
	last := ^uint64(nodeMask) | points[0]&nodeMask
	x := index{
		points: append(points, last, last, last, last),
		nodes:  1<<max(1, bits.Len(uint(nodes-1))) - 1,
		shift:  uint8(64 - k - laneBits),
	}
	x.fillRank(1 << (k - groupBits))
	x.fillEntries(1 << k)
	return x
}

// fillRank makes a histogram of the points over that many groups, and sums it up.
func (x *index) fillRank(groups int) {
	rank, shift := make([]uint32, groups+1), (x.shift+laneBits+groupBits)&63
	for _, p := range x.tokens() {
		rank[p>>shift+1]++
	}
	sum := uint32(0)
	for g, n := range rank {
		sum += n
		rank[g] = sum
	}
	x.rank = rank
}

// stride is how many entries are written at once.
const stride = 8

// fillEntries makes the entries of n buckets. It goes through the points. Each is
// what the buckets need from behind the one of the last point to its own: nearly
// always less than stride, which are written without asking how many are due, for
// what is too much will be overwritten. So hardly a branch depends on the points.
func (x *index) fillEntries(n int) {
	entries := make([]uint64, n+stride) // the rest is cut off below
	// A lane is place|node, and place|node|last for the buckets before.
	const inAll = 1 + 1<<laneBits + 1<<(2*laneBits)
	points, shift, last, next := x.points, x.shift&63, lane&^uint64(x.nodes), 0
	p, q := points[0]>>shift, points[1]>>shift
	first, second := p&last|points[0]&nodeMask, q&last|points[1]&nodeMask
	p, q = p>>laneBits, q>>laneBits
	for _, r := range points[2 : len(points)-sentinels+2] {
		third := r & nodeMask
		r >>= shift
		third |= r & last
		r >>= laneBits
		behind := (first | last) * inAll
		few := (*[stride]uint64)(entries[next:])
		few[0], few[1], few[2], few[3] = behind, behind, behind, behind
		few[4], few[5], few[6], few[7] = behind, behind, behind, behind
		for j := next + stride; j < int(p); j++ {
			entries[j] = behind
		}
		// The sign of p-q says that q is in a later bucket.
		entry := first | (second|last&uint64(int64(p-q)>>63))<<laneBits | (third|last&uint64(int64(p-r)>>63))<<(2*laneBits)
		if old := entries[p]; int(p) < next {
			entry = old // p is not the first of its bucket
		}
		entries[p] = entry
		next = int(p) + 1
		p, first, q, second = q, second, r, third
	}
	for j := next; j < n; j++ {
		entries[j] = (points[0]&nodeMask | last) * inAll
	}
	x.entries = entries[:n]
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
	b := at >> laneBits
	if b >= uint64(len(x.entries)) {
		return -1
	}
	e := x.entries[b]
	nodes := uint64(x.nodes)
	place := at & lane &^ nodes
	near := e & lane
	if near < place { // behind the first
		near = e >> laneBits & lane
	}
	if near < place { // and the second
		near = e >> (2 * laneBits)
	}
	if place|nodes < near { // before this one
		return int(near & nodes)
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
	group := h >> ((x.shift + laneBits + groupBits) & 63)
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
