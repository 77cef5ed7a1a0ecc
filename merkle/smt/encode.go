package smt

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/merkle"
)

// The encoding of a Proof: package comment, Format.
const (
	proofVersion = 0
	flagOther    = 1
	leafSize     = 2 * merkle.HashSize // path and SHA-256 of the value
)

// MarshalBinary returns the encoding of p. It fails for more than 256 siblings,
// which no proof has.
func (p Proof) MarshalBinary() ([]byte, error) { return p.AppendBinary(nil) }

// AppendBinary appends the encoding of p to dst, with at most one allocation.
func (p Proof) AppendBinary(dst []byte) ([]byte, error) {
	n := len(p.Siblings)
	if n > depth {
		return dst, fmt.Errorf("smt: proof of %d siblings, want at most %d", n, depth)
	}
	var bitmap [depth / 8]byte
	full := 0
	for i, h := range p.Siblings {
		if !h.IsZero() {
			bitmap[i/8] |= 1 << (i % 8)
			full++
		}
	}
	dst = slices.Grow(dst, 4+len(bitmap)+full*merkle.HashSize+leafSize)
	var flags byte
	if p.other {
		flags = flagOther
	}
	dst = append(dst, proofVersion, flags)
	dst = binary.AppendUvarint(dst, uint64(n))
	dst = append(dst, bitmap[:(n+7)/8]...)
	for _, h := range p.Siblings {
		if !h.IsZero() {
			dst = append(dst, h[:]...)
		}
	}
	if p.other {
		dst = append(dst, p.path[:]...)
		dst = append(dst, p.value[:]...)
	}
	return dst, nil
}

// UnmarshalBinary makes p the proof whose encoding is exactly data, which it
// copies. Anything else is merkle.ErrCorrupt and leaves p as it was. That p can be
// decoded does not mean that it holds.
func (p *Proof) UnmarshalBinary(data []byte) error {
	if len(data) < 3 {
		return corrupt("%d bytes, want at least 3", len(data))
	}
	if data[0] != proofVersion || data[1]&^flagOther != 0 {
		return corrupt("begins with version %d and flags %#02x, want %d and none but %#02x", data[0], data[1], proofVersion, flagOther)
	}
	got := Proof{other: data[1] == flagOther}
	n, bitmap, rest, err := cutBitmap(data[2:])
	if err != nil {
		return err
	}
	want := 0
	for _, b := range bitmap {
		want += bits.OnesCount8(b) * merkle.HashSize
	}
	if got.other {
		want += leafSize
	}
	if len(rest) != want {
		return corrupt("%d bytes left, want %d", len(rest), want)
	}
	if n > 0 {
		got.Siblings = make([]merkle.Hash, n)
	}
	for i := range got.Siblings {
		if bitmap[i/8]>>(i%8)&1 == 0 {
			continue
		}
		got.Siblings[i] = merkle.Hash(rest)
		rest = rest[merkle.HashSize:]
		if got.Siblings[i].IsZero() {
			return corrupt("sibling %d is zero, want its bit to be", i)
		}
	}
	if got.other {
		got.path, got.value = merkle.Hash(rest), merkle.Hash(rest[merkle.HashSize:])
	}
	*p = got
	return nil
}

// cutBitmap takes the number of siblings, and which of them are not zero, from the
// beginning of data.
func cutBitmap(data []byte) (siblings int, bitmap, rest []byte, err error) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > depth || size != len(binary.AppendUvarint(nil, n)) {
		return 0, nil, nil, corrupt("number of siblings is no shortest varint up to %d", depth)
	}
	rest = data[size:]
	mapped := int(n+7) / 8
	if len(rest) < mapped {
		return 0, nil, nil, corrupt("%d bytes left, want a bitmap of %d", len(rest), mapped)
	}
	bitmap, rest = rest[:mapped], rest[mapped:]
	if n%8 != 0 && bitmap[mapped-1]>>(n%8) != 0 {
		return 0, nil, nil, corrupt("bitmap has bits beyond sibling %d", n)
	}
	return int(n), bitmap, rest, nil
}

func corrupt(format string, args ...any) error { return codec.CorruptIn("smt", format, args...) }
