package hll

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/distkit/distkit/internal/codec"
)

// The image of an ExaLogLog: package comment, Format.
const (
	kindExaLogLog      = codec.HLLExaLogLog
	exaVersion    byte = 0
)

func (e *ExaLogLog) format() (codec.Kind, byte) { return kindExaLogLog, exaVersion }

func (e *ExaLogLog) encode() (codec.Header, payload, bool) {
	if e.p == 0 {
		return codec.Header{}, nil, false
	}
	h := codec.Header{
		Align:  sketchAlign,
		Params: []uint64{uint64(e.p), uint64(e.tokens.n), 0},
	}
	if e.martingale {
		h.Must = flagMartingale
	}
	if len(e.regs) == 0 {
		return h, tokenCode(e.tokens.sorted()), true
	}
	h.Must |= flagDense
	h.Params[1] = math.Float64bits(e.history)
	return h, words(e.regs), true
}

func (e *ExaLogLog) accept(h codec.Header, payload int) error {
	if err := h.Check(flagDense|flagMartingale, sketchParams, sketchAlign); err != nil {
		return err
	}
	p, state := h.Params[0], h.Params[1]
	if p < minExaPrecision || p > maxExaPrecision {
		return codec.Corrupt(h.Kind, "precision is %d, want %d to %d", p, minExaPrecision, maxExaPrecision)
	}
	if h.Must&flagDense == 0 {
		return acceptTokens(h.Kind, state, exaLimit(uint8(p)), payload)
	}
	if payload != 4<<p {
		return codec.Corrupt(h.Kind, "payload of %d bytes, want %d for precision %d", payload, 4<<p, p)
	}
	if h.Must&flagMartingale == 0 && state != 0 {
		return codec.Corrupt(h.Kind, "estimate of a history is %#x, want none", state)
	}
	return nil
}

func (e *ExaLogLog) restore(h codec.Header, body []byte) error {
	d := ExaLogLog{p: uint8(h.Params[0]), martingale: h.Must&flagMartingale != 0, keyed: e.keyed}
	var err error
	if h.Must&flagDense == 0 {
		if d.tokens, err = decodeTokens(body, int(h.Params[1])); err != nil {
			return corruptTokens(h.Kind, err)
		}
		*e = d
		return nil
	}
	d.regs = make([]uint32, len(body)/4)
	for i := range d.regs {
		d.regs[i] = binary.LittleEndian.Uint32(body[4*i:])
		if !d.possible(d.regs[i]) {
			return codec.Corrupt(h.Kind, "register %d is %#08x, which no keys give", i, d.regs[i])
		}
	}
	d.sums = exaCount(d.regs, d.p)
	d.history = math.Float64frombits(h.Params[1])
	if d.martingale {
		if err := acceptHistory(h.Kind, d.history, d.changed()); err != nil {
			return err
		}
	}
	*e = d
	return nil
}

// possible reports whether a register can be: its value is in range, the bit for a
// value of 0 is set where there is one, and none is below.
func (e *ExaLogLog) possible(r uint32) bool {
	u := r >> exaD
	switch {
	case u == 0:
		return r == 0
	case u > uint32(63-exaT-e.p+1)<<exaT+1<<exaT:
		return false
	case u <= exaD:
		return r&(2<<(exaD-u)-1) == 1<<(exaD-u)
	}
	return true
}

// words is the payload of dense images: registers of 32 bits.
type words []uint32

func (w words) size() int { return 4 * len(w) }

func (w words) appendTo(b []byte) []byte {
	for _, r := range w {
		b = binary.LittleEndian.AppendUint32(b, r)
	}
	return b
}

// MarshalBinary returns the image of e; see the package comment for its bytes.
func (e *ExaLogLog) MarshalBinary() ([]byte, error) { return codec.Append(imageOf(e), nil) }

// AppendBinary appends the image of e to b.
func (e *ExaLogLog) AppendBinary(b []byte) ([]byte, error) { return codec.Append(imageOf(e), b) }

// UnmarshalBinary makes e what its image, exactly data, says; see
// [Sketch.UnmarshalBinary].
func (e *ExaLogLog) UnmarshalBinary(data []byte) error { return codec.Decode(imageOf(e), data) }

// WriteTo writes the image of e to w.
func (e *ExaLogLog) WriteTo(w io.Writer) (int64, error) { return codec.Write(imageOf(e), w) }

// ReadFrom reads exactly one image from r; see [Sketch.ReadFrom].
func (e *ExaLogLog) ReadFrom(r io.Reader) (int64, error) { return codec.Read(imageOf(e), r) }

// MarshalText returns the image of e in standard base64, so that JSON works.
func (e *ExaLogLog) MarshalText() ([]byte, error) { return codec.MarshalText(imageOf(e)) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (e *ExaLogLog) UnmarshalText(text []byte) error { return codec.UnmarshalText(imageOf(e), text) }
