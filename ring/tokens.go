package ring

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"sync"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// A point packs a token and the index of its node into one word: the low 16
// bits of every token are ones, and a point has the index there instead. Points
// sort by token, then by node, and point|nodeMask >= h compares h with the
// token itself.
const nodeMask = 1<<16 - 1

const golden = 0x9E3779B97F4A7C15 // 2^64 / golden ratio: the step of SplitMix64

// appendPoints appends the points of node n, whose index is i, to dst. It calls
// for count tokens; a function of the user's may give others.
func (c *config) appendPoints(dst []uint64, n Node, i, count int) ([]uint64, error) {
	if c.set&setTokens == 0 {
		dst = slices.Grow(dst, count)
		state := c.hashString(n.ID)
		for range count {
			state += golden
			dst = append(dst, hash64.Mix(state, 0)&^nodeMask|uint64(i))
		}
		return dst, nil
	}
	if c.tokens == nil {
		return nil, codec.Incompatible("ring", "tokens for %q need the function, which no image holds: decode into a ring made WithTokens", n.ID)
	}
	tokens := c.tokens(nil, n, count)
	if len(tokens) == 0 {
		return nil, fmt.Errorf("%w: the token function gave none for %q", ErrInvalidNode, n.ID)
	}
	if len(dst)+len(tokens) > maxTokens {
		return nil, fmt.Errorf("%w: more than %d tokens", ErrTooManyNodes, maxTokens)
	}
	dst = slices.Grow(dst, len(tokens))
	for _, t := range tokens {
		dst = append(dst, t&^nodeMask|uint64(i))
	}
	return dst, nil
}

// counts returns how many tokens each node's weight asks for.
func (c *config) counts(nodes []Node) ([]int, error) {
	sum := 0.0
	for _, n := range nodes {
		sum += c.count(n.Weight)
	}
	if sum > maxTokens {
		return nil, fmt.Errorf("%w: %g tokens, want at most %d", ErrTooManyNodes, sum, maxTokens)
	}
	each := make([]int, len(nodes))
	for i, n := range nodes {
		each[i] = int(c.count(n.Weight))
	}
	return each, nil
}

// points returns the points of nodes, sorted.
func (c *config) points(nodes []Node, counts []int) ([]uint64, error) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	p := s.points[:0]
	var err error
	for i, n := range nodes {
		if p, err = c.appendPoints(p, n, i, counts[i]); err != nil {
			return nil, err
		}
	}
	s.points = p
	return s.sort(p), nil
}

// scratch is memory that sorting needs for a while.
type scratch struct {
	points []uint64 // not sorted yet
	ends   []uint32 // of buckets
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// sortPoints returns points sorted, with room for the sentinels.
func sortPoints(points []uint64) []uint64 {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	return s.sort(points)
}

// sort returns points sorted, with room for the sentinels. Tokens are spread
// evenly, so each is put into one of as many buckets as there are points, by its
// top bits, and is then near its place: one pass of insertion does the rest.
// Tokens of the user's that crowd together are sorted by comparison.
func (s *scratch) sort(points []uint64) []uint64 {
	const mostBuckets, crowd = 1 << 20, 128
	k := bits.Len(uint(min(len(points), mostBuckets)))
	shift := uint(64 - k)
	ends := slices.Grow(s.ends[:0], 1<<k)[:1<<k]
	s.ends = ends
	clear(ends)
	for _, p := range points {
		ends[p>>(shift&63)]++
	}
	sum, most := uint32(0), uint32(0)
	for b, count := range ends {
		ends[b] = sum
		sum += count
		most = max(most, count)
	}
	sorted := make([]uint64, len(points), len(points)+sentinels)
	for _, p := range points {
		end := &ends[p>>(shift&63)]
		sorted[*end] = p
		*end++
	}
	if most > crowd {
		slices.Sort(sorted)
		return sorted
	}
	insert(sorted)
	return sorted
}

// insert sorts points that are near their places by insertion. Where one goes
// before its predecessor only, which is usual, no branch depends on it.
func insert(points []uint64) {
	if len(points) == 0 {
		return
	}
	before, last := uint64(0), points[0] // the two behind which the next one comes
	for i := 1; i < len(points); i++ {
		p := points[i]
		p, last = min(p, last), max(p, last)
		j := i - 1 // where p goes, unless it is before others, too
		if p < before {
			for ; j > 0 && points[j-1] > p; j-- {
				points[j] = points[j-1]
			}
			points[j] = p
			before = points[i-1]
			continue
		}
		points[j], before = p, p
	}
	points[len(points)-1] = last
}

// EnvoyTokens is for [WithTokens]: the placement of Envoy's ring_hash and gRPC's
// ring_hash_experimental (gRFC A42), in which token i is the XXH64 of "ID_i".
// Keys are hashed by XXH64 as well, so owners agree with theirs, but for keys
// that hash to within 2^-48 of a token.
func EnvoyTokens(dst []uint64, n Node, count int) []uint64 {
	name := append([]byte(n.ID), '_')
	for i := range count {
		dst = append(dst, hash64.Bytes(strconv.AppendInt(name, int64(i), 10)))
	}
	return dst
}

// KetamaTokens is for [WithTokens]: the placement of libketama, in which the
// MD5 of "ID-k" gives the four 32-bit points 4k to 4k+3. Here they are the high
// half of a token: look up a key's 32-bit point by OwnerHash(uint64(point) <<
// 32). Of equal points, which libketama leaves to chance, the lower ID wins.
func KetamaTokens(dst []uint64, n Node, count int) []uint64 {
	name := append([]byte(n.ID), '-')
	var sum [md5.Size]byte
	for i := range count {
		if i%4 == 0 {
			sum = md5.Sum(strconv.AppendInt(name, int64(i/4), 10))
		}
		dst = append(dst, uint64(binary.LittleEndian.Uint32(sum[i%4*4:]))<<32)
	}
	return dst
}
