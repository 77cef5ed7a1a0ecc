package vclock

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/distkit/distkit/internal/hash64"
)

// clockVersion is the first byte of a clock's binary form. Version 1 is frozen.
const clockVersion = 1

// clockHeader is the number of bytes before the entries: the version and the
// low 32 bits of the XXH64 of the entries, little-endian.
const clockHeader = 1 + 4

// AppendBinary appends the clock's binary form to dst: five bytes and the
// entries, see the package documentation. Equal clocks have equal bytes. It
// fails, and returns dst as it was, for a clock that could not be decoded: with
// an id of more than 1024 bytes, a counter above 2^62, or more than 64 KiB.
func (c Clock) AppendBinary(dst []byte) ([]byte, error) {
	if err := c.fits(); err != nil {
		return dst, err
	}
	sum := checksum(c.enc)
	dst = append(dst, clockVersion, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
	return append(dst, c.enc...), nil
}

// MarshalBinary returns what AppendBinary appends, in one allocation.
func (c Clock) MarshalBinary() ([]byte, error) {
	return c.AppendBinary(make([]byte, 0, clockHeader+len(c.enc)))
}

// UnmarshalBinary sets c to the clock that MarshalBinary encoded. It accepts
// exactly the canonical form and copies it once. All else is [ErrCorrupt] and
// leaves c as it was.
func (c *Clock) UnmarshalBinary(data []byte) error {
	switch {
	case len(data) < clockHeader:
		return corrupt("clock has %d bytes, want at least %d", len(data), clockHeader)
	case len(data) > clockHeader+maxClock:
		return corrupt("clock has %d bytes, want at most %d", len(data), clockHeader+maxClock)
	case data[0] != clockVersion:
		return corrupt("version of clock is %d, want %d", data[0], clockVersion)
	case binary.LittleEndian.Uint32(data[1:]) != uint32(hash64.Bytes(data[clockHeader:])):
		return corrupt("checksum of clock does not match")
	}
	if err := validate(data[clockHeader:]); err != nil {
		return err
	}
	c.enc = string(data[clockHeader:])
	return nil
}

// AppendText appends the clock as a token for URLs, headers and cookies: its
// binary form in base64url without padding (RFC 4648, section 5). It fails as
// AppendBinary does.
func (c Clock) AppendText(dst []byte) ([]byte, error) {
	bin, err := c.MarshalBinary()
	if err != nil {
		return dst, err
	}
	return base64.RawURLEncoding.AppendEncode(dst, bin), nil
}

// MarshalText returns what AppendText appends.
func (c Clock) MarshalText() ([]byte, error) { return c.AppendText(nil) }

// UnmarshalText sets c to the clock of a token that MarshalText made, and
// accepts nothing else: see [Clock.UnmarshalBinary].
func (c *Clock) UnmarshalText(text []byte) error {
	if most := base64.RawURLEncoding.EncodedLen(clockHeader + maxClock); len(text) > most {
		return corrupt("token of clock has %d bytes, want at most %d", len(text), most)
	}
	// The decoder of encoding/base64 skips line breaks: a second spelling.
	if bytes.ContainsAny(text, "\r\n") {
		return corrupt("token of clock holds a line break")
	}
	bin, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return corrupt("token of clock: %w", err)
	}
	return c.UnmarshalBinary(bin)
}

// checksum guards a clock against damage, not against forgery.
func checksum(enc string) uint32 { return uint32(hash64.String(enc)) }

// fits says why a clock cannot be encoded. Ticks may carry it past the limits.
func (c Clock) fits() error {
	if len(c.enc) <= maxID && !mayHoldHuge(c.enc) {
		return nil
	}
	return c.misfit()
}

func (c Clock) misfit() error {
	if len(c.enc) > maxClock {
		return fmt.Errorf("vclock: clock has %d bytes, want at most %d", len(c.enc), maxClock)
	}
	for id, n := range c.All() {
		switch {
		case len(id) > maxID:
			return fmt.Errorf("vclock: id %s has %d bytes, want at most %d", brief(id), len(id), maxID)
		case n > maxCounter:
			return fmt.Errorf("vclock: counter of %s is %d, want at most 2^62", brief(id), n)
		}
	}
	return nil
}

// mayHoldHuge reports whether there may be a counter above 2^56. Its varint has
// eight bytes in a row with the high bit set, so some word has four, wherever it
// starts, if a last word covers what is left. In ids of ASCII no byte has it.
func mayHoldHuge(s string) bool {
	if len(s) < 8 {
		return false
	}
	t := textOf(s)
	w := wordAt(t, len(s)-8)
	w &= w >> 16
	run := w & (w >> 8)
	for i := 0; i+8 <= len(s); i += 8 {
		w = wordAt(t, i)
		w &= w >> 16
		run |= w & (w >> 8)
	}
	return run&0x8080808080 != 0
}

// validate says why b is not the canonical encoding of a clock.
func validate(b []byte) error {
	var last []byte
	for i, first := 0, true; i < len(b); first = false {
		size, k := shortUvarint(b[i:])
		if k <= 0 || size > maxID || size > uint64(len(b)-i-k) {
			return corrupt("length of the id at byte %d is damaged or above %d", i, maxID)
		}
		i += k
		id := b[i : i+int(size)]
		i += int(size)
		if !first && bytes.Compare(last, id) >= 0 {
			return corrupt("id %s follows %s, want ascending ids", brief(string(id)), brief(string(last)))
		}
		n, k := shortUvarint(b[i:])
		if k <= 0 || n == 0 || n > maxCounter {
			return corrupt("counter of %s is damaged, 0 or above 2^62", brief(string(id)))
		}
		i += k
		last = id
	}
	return nil
}

// shortUvarint is binary.Uvarint for varints that are as short as they can be;
// for others it returns 0, 0.
func shortUvarint(b []byte) (uint64, int) {
	v, k := binary.Uvarint(b)
	if k > 1 && b[k-1] == 0 {
		return 0, 0
	}
	return v, k
}
