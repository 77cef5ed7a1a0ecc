package vclock

import (
	"encoding/binary"
	"fmt"

	"github.com/distkit/distkit/internal/hash64"
)

// siblingsVersion is the first byte of encoded siblings: 0 may change before v1.
const siblingsVersion = 0

// AppendSiblings appends the encoding of s to dst, with enc to append that of a
// value to what it is given. Equal siblings with equal values have equal bytes.
// It fails, and returns dst as it was, when enc fails or the context cannot be
// encoded (see [Clock.AppendBinary]).
func AppendSiblings[T any](dst []byte, s Siblings[T], enc func([]byte, T) ([]byte, error)) ([]byte, error) {
	if err := s.seen.fits(); err != nil {
		return dst, err
	}
	b := append(dst, siblingsVersion, 0, 0, 0, 0)
	body := len(b)
	b = binary.AppendUvarint(b, uint64(len(s.seen.enc)))
	b = append(b, s.seen.enc...)
	live := s.live
	for id := range s.seen.All() {
		n := 0
		for n < len(live) && live[n].dot.ID == id {
			n++
		}
		b = binary.AppendUvarint(b, uint64(n))
		for _, v := range live[:n] {
			var err error
			if b, err = appendValue(b, v.value, enc); err != nil {
				return dst, fmt.Errorf("vclock: value %d of %s: %w", v.dot.N, brief(id), err)
			}
		}
		live = live[n:]
	}
	binary.LittleEndian.PutUint32(b[body-4:], uint32(hash64.Bytes(b[body:])))
	return b, nil
}

// appendValue appends a value with its length before it. The length is known
// only afterwards, so the value moves to make room.
func appendValue[T any](b []byte, v T, enc func([]byte, T) ([]byte, error)) ([]byte, error) {
	start := len(b)
	b, err := enc(b, v)
	if err != nil {
		return nil, err
	}
	if len(b) < start {
		return nil, fmt.Errorf("encoder returned %d bytes, want the %d it was given and more", len(b), start)
	}
	size := len(b) - start
	b = binary.AppendUvarint(b, uint64(size))
	room := len(b) - start - size
	copy(b[start+room:], b[start:start+size])
	binary.PutUvarint(b[start:], uint64(size))
	return b, nil
}

// DecodeSiblings returns the siblings that AppendSiblings encoded, with dec to
// decode a value. dec must copy what it keeps of its argument, which is a part
// of data. Anything but exactly one canonical encoding is [ErrCorrupt]; an error
// of dec is wrapped together with it. Beside what dec allocates, memory is that
// of the context and of a value and its dot for every encoded value.
func DecodeSiblings[T any](data []byte, dec func([]byte) (T, error)) (Siblings[T], error) {
	switch {
	case len(data) < clockHeader:
		return Siblings[T]{}, corrupt("siblings have %d bytes, want at least %d", len(data), clockHeader+1)
	case data[0] != siblingsVersion:
		return Siblings[T]{}, corrupt("version of siblings is %d, want %d", data[0], siblingsVersion)
	case binary.LittleEndian.Uint32(data[1:]) != uint32(hash64.Bytes(data[clockHeader:])):
		return Siblings[T]{}, corrupt("checksum of siblings does not match")
	}
	enc, rest, ok := cut(data[clockHeader:])
	if !ok || len(enc) > maxClock {
		return Siblings[T]{}, corrupt("context of siblings is cut short or above %d bytes", maxClock)
	}
	if err := validate(enc); err != nil {
		return Siblings[T]{}, err
	}
	s := Siblings[T]{seen: Clock{string(enc)}}
	for id, n := range s.seen.All() {
		count, k := shortUvarint(rest)
		if k <= 0 || count > n {
			return Siblings[T]{}, corrupt("number of values of %s is damaged or above %d", brief(id), n)
		}
		rest = rest[k:]
		for i := range count {
			var raw []byte
			if raw, rest, ok = cut(rest); !ok {
				return Siblings[T]{}, corrupt("value %d of %s is cut short", n-i, brief(id))
			}
			v, err := dec(raw)
			if err != nil {
				return Siblings[T]{}, corrupt("value %d of %s: %w", n-i, brief(id), err)
			}
			s.live = append(s.live, version[T]{Dot{id, n - i}, v})
		}
	}
	if len(rest) > 0 {
		return Siblings[T]{}, corrupt("siblings go on for %d bytes after their end", len(rest))
	}
	return s, nil
}

// cut takes bytes with their length before them off the front of b.
func cut(b []byte) (field, rest []byte, ok bool) {
	size, k := shortUvarint(b)
	if k <= 0 || size > uint64(len(b)-k) {
		return nil, nil, false
	}
	end := k + int(size)
	return b[k:end:end], b[end:], true
}
