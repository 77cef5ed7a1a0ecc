package merkle

import (
	"encoding/binary"
	"math"

	"github.com/distkit/distkit/internal/hash64"
)

// The first byte of a message.
const (
	msgOpen  = 1 // initiator: compare everything
	msgAsk   = 2 // initiator: tell of these slices
	msgEqual = 3 // responder: there is no difference
	msgTell  = 4 // responder: parts of what was asked for
)

const (
	messageMin, messageMax = 1 << 10, 1 << 30

	openCells = 16 // what answers an opening
	entrySize = 16
	cellSize  = 21 // about: 20 bytes and a varint
	partSize  = 8 + 3 + 8 + 1
)

// ask wants cells [from, to) of each of so many parts of a slice.
type ask struct {
	span     span
	from, to int
	parts    uint64
}

// header begins what an initiator says. It has all that a responder needs.
type header struct {
	kind   byte
	salt   [8]byte
	check  uint32 // of the secret, under the salt
	max    int    // of the answer, in KiB
	domain []span
}

func (h *header) append(b []byte) []byte {
	b = append(append(b, h.kind), h.salt[:]...)
	b = binary.LittleEndian.AppendUint32(b, h.check)
	b = binary.AppendUvarint(b, uint64(h.max))
	if len(h.domain) == 1 && h.domain[0] == everything {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(h.domain)))
	for _, s := range h.domain {
		b = appendSpan(b, s)
	}
	return b
}

func appendSpan(b []byte, s span) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, s.lo), s.last)
}

func appendAsk(b []byte, a ask) []byte {
	b = append(appendSpan(b, a.span), byte(a.from), byte(a.to))
	return binary.AppendUvarint(b, a.parts)
}

// source takes a message apart; what is missing or out of bounds sets bad.
type source struct {
	b   []byte
	bad bool
}

func (s *source) bytes(n int) []byte {
	if n > len(s.b) {
		s.bad, s.b = true, nil
		return make([]byte, n) // n is a constant of the format
	}
	b := s.b[:n]
	s.b = s.b[n:]
	return b
}

func (s *source) byte() byte     { return s.bytes(1)[0] }
func (s *source) uint64() uint64 { return binary.LittleEndian.Uint64(s.bytes(8)) }
func (s *source) span() span     { return span{s.uint64(), s.uint64()} }

// uvarint reads a varint that is as short as it can be and at most limit.
func (s *source) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 || n > 1 && s.b[n-1] == 0 || v > limit {
		s.bad, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *source) header(kind byte) (h header) {
	h.kind = kind
	copy(h.salt[:], s.bytes(8))
	h.check = binary.LittleEndian.Uint32(s.bytes(4))
	h.max = int(s.uvarint(messageMax >> 10))
	n := s.uvarint(uint64(len(s.b) / 16))
	if n == 0 {
		h.domain = []span{everything}
	}
	for i := range n {
		d := s.span()
		if d.lo > d.last || i > 0 && (d.lo == 0 || d.lo-1 <= h.domain[i-1].last) {
			s.bad = true
		}
		h.domain = append(h.domain, d)
	}
	return h
}

func (s *source) ask() ask {
	a := ask{span: s.span(), from: int(s.byte()), to: int(s.byte()), parts: s.uvarint(math.MaxUint32)}
	if a.span.lo > a.span.last || a.from >= a.to || a.to > cellsMax || a.parts == 0 {
		s.bad = true
	}
	return a
}

// expected is the count of cell i in a sketch of n entries, about.
func expected(n uint64, i int) int32 { return int32(2 * n / uint64(i+2)) }

func appendCell(b []byte, c cell, n uint64, i int) []byte {
	b = binary.LittleEndian.AppendUint64(b, c.h)
	b = binary.LittleEndian.AppendUint64(b, c.v)
	b = binary.LittleEndian.AppendUint32(b, c.check)
	return appendCount(b, c.count, n, i)
}

func appendCount(b []byte, count int32, n uint64, i int) []byte {
	d := count - expected(n, i)
	return binary.AppendUvarint(b, uint64(uint32(d<<1^d>>31)))
}

func (s *source) cell(n uint64, i int) (c cell) {
	c.h, c.v = s.uint64(), s.uint64()
	c.check = binary.LittleEndian.Uint32(s.bytes(4))
	c.count = s.count(n, i)
	return c
}

func (s *source) count(n uint64, i int) int32 {
	z := uint32(s.uvarint(math.MaxUint32))
	return int32(z>>1^-(z&1)) + expected(n, i)
}

// tag is what is sent of a total: it tells an observer nothing about the sums of
// other sets.
func (k *keying) tag(salt [8]byte, t total) (b [16]byte) {
	var in [32]byte
	copy(in[:], salt[:])
	binary.LittleEndian.PutUint64(in[8:], t.count)
	binary.LittleEndian.PutUint64(in[16:], t.lo)
	binary.LittleEndian.PutUint64(in[24:], t.hi)
	lo, hi := hash64.Sip128(&k.session, in[:])
	binary.LittleEndian.PutUint64(b[:8], lo)
	binary.LittleEndian.PutUint64(b[8:], hi)
	return b
}

func (k *keying) shortTag(salt [8]byte, t total) uint64 {
	b := k.tag(salt, t)
	return binary.LittleEndian.Uint64(b[:8])
}

// saltedCheck tells trees of other secrets apart.
func (k *keying) saltedCheck(salt [8]byte) uint32 { return uint32(hash64.Sip(&k.session, salt[:])) }
