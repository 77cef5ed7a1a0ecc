package hll

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"github.com/distkit/distkit/internal/codec"
)

// tokenCode is the payload of sparse images: tokens in increasing order, as one
// stream of bits from the low bit of the first byte on. Each is the gap from the
// index before it, in Rice's code, then its zeros: v ones and a 0 for v. With n
// tokens that takes log2(2^26/n) + 3.5 bits each, 2.2 bytes for n = 1,000.
type tokenCode []uint32

// riceParameter returns how many low bits of a gap between n indexes are written
// as they are. Gaps are geometric, with a mean of 2^26/n.
func riceParameter(n int) uint {
	if n == 0 {
		return 0
	}
	return uint(max(0, math.Floor(math.Log2(math.Ln2*(1<<tokenIndexBits)/float64(n)))))
}

func (c tokenCode) size() int {
	k := riceParameter(len(c))
	n := len(c) * (int(k) + 2)
	last := uint32(0)
	for _, token := range c {
		n += int((token>>6-last)>>k) + int(token&63)
		last = token >> 6
	}
	return (n + 7) / 8
}

func (c tokenCode) appendTo(b []byte) []byte {
	w := bitWriter{b: b}
	k := riceParameter(len(c))
	last := uint32(0)
	for _, token := range c {
		gap := token>>6 - last
		w.unary(uint(gap >> k))
		w.write(uint64(gap)&(1<<k-1), k)
		w.unary(uint(token & 63))
		last = token >> 6
	}
	return w.finish()
}

// leastTokenBytes is the least that the code of n tokens takes.
func leastTokenBytes(n int) int { return (n*(int(riceParameter(n))+2) + 7) / 8 }

var (
	errEnds    = errors.New("tokens end early")
	errBeyond  = errors.New("a token's index is beyond 2^26")
	errZeros   = errors.New("a token has more than 38 zeros")
	errOrder   = errors.New("tokens are not in increasing order")
	errTrailer = errors.New("something follows the last token")
)

// decodeTokens returns the set of n tokens whose code is exactly data.
func decodeTokens(data []byte, n int) (tokens, error) {
	var t tokens
	t.reserve(n)
	r := bitReader{b: data}
	k := riceParameter(n)
	index, last, next := uint64(0), int64(-1), 0
	for range n {
		high, low := r.unary(), r.read(k)
		zeros := r.unary()
		index += uint64(high)<<k | low
		token := int64(index<<6 | uint64(zeros))
		switch {
		case r.short:
			return t, errEnds
		case index >= 1<<tokenIndexBits:
			return t, errBeyond
		case zeros > maxTokenZeros:
			return t, errZeros
		case token <= last:
			return t, errOrder
		}
		last = token
		next = t.append(uint32(token), next)
	}
	if !r.done() {
		return t, errTrailer
	}
	return t, nil
}

// append adds a token larger than all before it, in constant time whatever the
// tokens are, and returns the slot to begin with for the next one.
func (t *tokens) append(token uint32, next int) int {
	slot := max(t.home(token), next)
	mask := len(t.slots) - 1
	for t.slots[slot&mask] != 0 { // only where the table's end was passed
		slot++
	}
	t.put(slot&mask, token)
	return slot + 1
}

// corruptTokens says what is wrong with the payload of an image.
func corruptTokens(k codec.Kind, err error) error { return codec.Corrupt(k, "%w", err) }

// bitWriter appends bits, the low ones first.
type bitWriter struct {
	b    []byte
	acc  uint64
	have uint
}

// write appends the low n bits of v, n <= 32.
func (w *bitWriter) write(v uint64, n uint) {
	w.acc |= v << w.have
	w.have += n
	for ; w.have >= 8; w.have -= 8 {
		w.b = append(w.b, byte(w.acc))
		w.acc >>= 8
	}
}

// unary appends v ones and a 0.
func (w *bitWriter) unary(v uint) {
	for ; v >= 32; v -= 32 {
		w.write(1<<32-1, 32)
	}
	w.write(1<<v-1, v+1)
}

// finish appends what is left, with zeros up to a whole byte.
func (w *bitWriter) finish() []byte {
	if w.have > 0 {
		w.b = append(w.b, byte(w.acc))
	}
	return w.b
}

// bitReader reads what bitWriter wrote. After a read beyond the end it is short.
type bitReader struct {
	b     []byte
	acc   uint64
	have  uint
	short bool
}

// fill has at least 56 bits ready, if there are as many.
func (r *bitReader) fill() {
	if len(r.b) >= 8 {
		r.acc |= binary.LittleEndian.Uint64(r.b) << r.have
		n := (63 - r.have) / 8
		r.b = r.b[n:]
		r.have += 8 * n
		r.acc &= 1<<r.have - 1
		return
	}
	for ; r.have <= 56 && len(r.b) > 0; r.have += 8 {
		r.acc |= uint64(r.b[0]) << r.have
		r.b = r.b[1:]
	}
}

func (r *bitReader) read(n uint) uint64 {
	if r.have < n {
		r.fill()
	}
	if r.have < n {
		r.short = true
		return 0
	}
	v := r.acc & (1<<n - 1)
	r.acc >>= n
	r.have -= n
	return v
}

func (r *bitReader) unary() (v int) {
	for !r.short {
		ones := uint(bits.TrailingZeros64(^r.acc))
		if ones < r.have {
			r.acc >>= ones + 1
			r.have -= ones + 1
			return v + int(ones)
		}
		v += int(r.have)
		r.acc, r.have = 0, 0
		r.fill()
		r.short = r.have == 0
	}
	return 0
}

// done reports whether nothing is left but zeros up to a whole byte.
func (r *bitReader) done() bool { return len(r.b) == 0 && r.have < 8 && r.acc == 0 }
