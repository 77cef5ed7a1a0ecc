package ring

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

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

// counts returns how many tokens each node's weight asks for, and their sum.
func (c *config) counts(nodes []Node) (each []int, total int, err error) {
	sum := 0.0
	for _, n := range nodes {
		sum += c.count(n.Weight)
	}
	if sum > maxTokens {
		return nil, 0, fmt.Errorf("%w: %g tokens, want at most %d", ErrTooManyNodes, sum, maxTokens)
	}
	each = make([]int, len(nodes))
	for i, n := range nodes {
		each[i] = int(c.count(n.Weight))
		total += each[i]
	}
	return each, total, nil
}

// points returns the sorted points of nodes, with room for the sentinel.
func (c *config) points(nodes []Node, counts []int, total int) ([]uint64, error) {
	p := make([]uint64, 0, total+1)
	var err error
	for i, n := range nodes {
		if p, err = c.appendPoints(p, n, i, counts[i]); err != nil {
			return nil, err
		}
	}
	sortPoints(p)
	return p, nil
}

// sortPoints sorts points whose nodes come in order of their index: by tokens,
// in a stable way, so that equal tokens are in the order of nodes. It is a radix
// sort in four passes of 12 bits, least significant first; their number is even,
// so the result lands in p.
func sortPoints(p []uint64) {
	if len(p) < 2048 {
		slices.Sort(p)
		return
	}
	const digits, mask = 1 << 12, 1<<12 - 1
	var starts [4][digits]uint32
	for _, x := range p {
		starts[0][x>>16&mask]++
		starts[1][x>>28&mask]++
		starts[2][x>>40&mask]++
		starts[3][x>>52]++
	}
	src, dst := p, make([]uint64, len(p))
	for pass := range starts {
		start, shift := &starts[pass], uint(16+12*pass)
		sum := uint32(0)
		for d, n := range start {
			start[d] = sum
			sum += n
		}
		for _, x := range src {
			d := x >> (shift & 63) & mask
			dst[start[d]] = x
			start[d]++
		}
		src, dst = dst, src
	}
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
