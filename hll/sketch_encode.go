package hll

import (
	"io"
	"math"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Sketch, frozen: package comment, Format.
const (
	sketchVersion = 1
	sketchParams  = 3 // precision, tokens or history, check value of the secret
	sketchAlign   = 0
	// The flags that a reader must understand.
	flagDense      = 1
	flagMartingale = 2
)

func (s *Sketch) format() (codec.Kind, byte) { return codec.HLLSketch, sketchVersion }

func (s *Sketch) encode() (codec.Header, payload, bool) {
	if s.p == 0 {
		return codec.Header{}, nil, false
	}
	h := codec.Header{
		Align:  sketchAlign,
		Params: []uint64{uint64(s.p), uint64(s.tokens.n), 0},
	}
	if s.martingale {
		h.Must = flagMartingale
	}
	if len(s.regs) > 0 {
		h.Must |= flagDense
		h.Params[1] = math.Float64bits(s.history)
	}
	return h, s.payload(), true
}

func (s *Sketch) payload() payload {
	if len(s.regs) == 0 {
		return tokenCode(s.tokens.sorted())
	}
	return packed(s.regs)
}

func (s *Sketch) accept(h codec.Header, payload int) error {
	if err := h.Check(flagDense|flagMartingale, sketchParams, sketchAlign); err != nil {
		return err
	}
	p, state := h.Params[0], h.Params[1]
	if p < MinPrecision || p > MaxPrecision {
		return codec.Corrupt(h.Kind, "precision is %d, want %d to %d", p, MinPrecision, MaxPrecision)
	}
	if h.Must&flagDense == 0 {
		return acceptTokens(h.Kind, state, limit(uint8(p)), payload)
	}
	if want := packedSize(1 << p); payload != want {
		return codec.Corrupt(h.Kind, "payload of %d bytes, want %d for precision %d", payload, want, p)
	}
	if h.Must&flagMartingale == 0 && state != 0 {
		return codec.Corrupt(h.Kind, "estimate of a history is %#x, want none", state)
	}
	return nil
}

// acceptTokens checks the number of tokens that a header promises.
func acceptTokens(k codec.Kind, n uint64, limit, payload int) error {
	switch {
	case n > uint64(limit):
		return codec.Corrupt(k, "%d tokens, want at most %d", n, limit)
	case payload < leastTokenBytes(int(n)):
		return codec.Corrupt(k, "payload of %d bytes, want at least %d for %d tokens", payload, leastTokenBytes(int(n)), n)
	}
	return nil
}

func (s *Sketch) restore(h codec.Header, body []byte) error {
	d := Sketch{p: uint8(h.Params[0]), martingale: h.Must&flagMartingale != 0, keyed: s.keyed}
	var err error
	if h.Must&flagDense == 0 {
		if d.tokens, err = decodeTokens(body, int(h.Params[1])); err != nil {
			return corruptTokens(h.Kind, err)
		}
		*s = d
		return nil
	}
	if d.regs, err = unpack(h.Kind, body, d.q()+1); err != nil {
		return err
	}
	d.stats = count(d.regs, d.q())
	d.history = math.Float64frombits(h.Params[1])
	if d.martingale {
		if err := acceptHistory(h.Kind, d.history, len(d.regs)-d.zeros); err != nil {
			return err
		}
	}
	*s = d
	return nil
}

// acceptHistory checks the estimate that WithMartingale keeps against what is
// certain: every register that is not zero took a change, and a change counts as
// one key or more. One that is lost is NaN.
func acceptHistory(k codec.Kind, history float64, changed int) error {
	switch {
	case math.Float64bits(history) == math.Float64bits(math.NaN()):
		return nil
	case history >= float64(changed) && !math.Signbit(history) && (changed > 0 || history == 0) && !math.IsInf(history, 1):
		return nil
	}
	return codec.Corrupt(k, "estimate of a history is %g, want at least %d", history, changed)
}

// packed is the payload of dense images: 6 bits a register, from the low bit of
// the first byte on. Their number is a multiple of 4.
type packed []uint8

func packedSize(registers int) int { return registers / 4 * 3 }

func (r packed) size() int { return packedSize(len(r)) }

func (r packed) appendTo(b []byte) []byte {
	for ; len(r) >= 4; r = r[4:] {
		w := uint32(r[0]) | uint32(r[1])<<6 | uint32(r[2])<<12 | uint32(r[3])<<18
		b = append(b, byte(w), byte(w>>8), byte(w>>16))
	}
	return b
}

// unpack returns the registers of a payload, at most largest each.
func unpack(k codec.Kind, b []byte, largest uint8) ([]uint8, error) {
	regs := make([]uint8, len(b)/3*4)
	seen := uint8(0)
	for r := regs; len(r) >= 4 && len(b) >= 3; r, b = r[4:], b[3:] {
		w := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		r[0], r[1], r[2], r[3] = uint8(w)&63, uint8(w>>6)&63, uint8(w>>12)&63, uint8(w>>18)
		seen = max(seen, r[0], r[1], r[2], r[3])
	}
	if seen > largest {
		return nil, codec.Corrupt(k, "a register is %d, want at most %d", seen, largest)
	}
	return regs, nil
}

// MarshalBinary returns the image of s; see the package comment for its bytes.
func (s *Sketch) MarshalBinary() ([]byte, error) { return codec.Append(imageOf(s), nil) }

// AppendBinary appends the image of s to b.
func (s *Sketch) AppendBinary(b []byte) ([]byte, error) { return codec.Append(imageOf(s), b) }

// UnmarshalBinary makes s the sketch whose image is exactly data, of which it
// keeps nothing. s keeps its WithSecret: an image that was not made under it is
// ErrIncompatible. Whatever else is wrong is ErrCorrupt. After an error s is as
// it was.
func (s *Sketch) UnmarshalBinary(data []byte) error { return codec.Decode(imageOf(s), data) }

// WriteTo writes the image of s to w.
func (s *Sketch) WriteTo(w io.Writer) (int64, error) { return codec.Write(imageOf(s), w) }

// ReadFrom reads exactly one image from r, as UnmarshalBinary does, and no byte
// beyond it. A source that ends before the first byte is io.EOF as well as
// ErrCorrupt, one that ends early io.ErrUnexpectedEOF. Memory grows with what
// arrives, whatever the header promises.
func (s *Sketch) ReadFrom(r io.Reader) (int64, error) { return codec.Read(imageOf(s), r) }

// MarshalText returns the image of s in standard base64, so that JSON works.
func (s *Sketch) MarshalText() ([]byte, error) { return codec.MarshalText(imageOf(s)) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (s *Sketch) UnmarshalText(text []byte) error { return codec.UnmarshalText(imageOf(s), text) }
