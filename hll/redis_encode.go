package hll

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/distkit/distkit/internal/codec"
)

// The string of a Redis: package comment, Format.
const (
	redisMagic      = "HYLL"
	redisDense      = 0
	redisSparse     = 1
	redisHeader     = 16
	redisStale      = 1 << 63 // of the count: not valid, count the registers
	redisSparseSize = 3000    // default of Redis for the whole string
	redisLargest    = 64 - redisPrecision + 1
	// Opcodes of sparse strings: their top bits, and the longest runs.
	redisZeros     = 0x00
	redisManyZeros = 0x40
	redisValue     = 0x80
	redisMaxZeros  = 64
	redisMaxValue  = 32
	redisMaxRun    = 4
)

// MarshalBinary returns the string that Redis keeps for these registers. It is the
// same whatever way they came: sparse if that takes at most 3,000 bytes and no
// register is above 32, else dense, and without a cached count, so that Redis
// counts afresh.
func (r *Redis) MarshalBinary() ([]byte, error) { return r.appendTo(nil), nil }

// AppendBinary appends the string to b.
func (r *Redis) AppendBinary(b []byte) ([]byte, error) { return r.appendTo(b), nil }

func (r *Redis) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, redisMagic...)
	b = append(b, redisSparse, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, redisStale)
	if sparse, ok := r.appendSparse(b, start+redisSparseSize); ok {
		return sparse
	}
	b[start+len(redisMagic)] = redisDense
	return packed(r.s.regs).appendTo(b)
}

// appendSparse appends the registers as runs, each as long as can be. It fails
// where b would grow beyond limit, or a register is too large.
func (r *Redis) appendSparse(b []byte, limit int) (_ []byte, ok bool) {
	if r.IsEmpty() {
		return appendZeros(b, redisRegisters), true
	}
	for regs := r.s.regs; len(regs) > 0; {
		v, n := regs[0], 1
		for n < len(regs) && regs[n] == v {
			n++
		}
		regs = regs[n:]
		switch {
		case v == 0:
			b = appendZeros(b, n)
		case v > redisMaxValue:
			return nil, false
		default:
			for ; n > 0; n -= redisMaxRun {
				b = append(b, redisValue|(v-1)<<2|uint8(min(n, redisMaxRun)-1))
			}
		}
		if len(b) > limit {
			return nil, false
		}
	}
	return b, true
}

func appendZeros(b []byte, n int) []byte {
	if n <= redisMaxZeros {
		return append(b, redisZeros|byte(n-1))
	}
	return append(b, redisManyZeros|byte((n-1)>>8), byte(n-1))
}

// UnmarshalBinary makes r what data, the string that GET gives, says. Whatever is
// wrong with it is ErrCorrupt, and r is as it was. The count that Redis caches in
// it is passed over: it can be wrong.
func (r *Redis) UnmarshalBinary(data []byte) error {
	src := bytes.NewReader(data)
	d := redisReader{r: src}
	regs, err := d.read()
	switch {
	case err != nil:
		return err
	case src.Len() > 0:
		return codec.CorruptIn("hll", "%d bytes follow the string", src.Len())
	}
	r.restore(regs)
	return nil
}

// WriteTo writes the string to w.
func (r *Redis) WriteTo(w io.Writer) (int64, error) {
	image := r.appendTo(nil)
	n, err := w.Write(image)
	if n < len(image) && err == nil {
		err = io.ErrShortWrite
	}
	return int64(n), err
}

// ReadFrom reads exactly one string from src, as UnmarshalBinary does, and no byte
// beyond it. A source that ends before the first byte is io.EOF as well as
// ErrCorrupt, one that ends early io.ErrUnexpectedEOF. The end of a sparse string
// is known by reading it, byte by byte: give it a buffered source.
func (r *Redis) ReadFrom(src io.Reader) (int64, error) {
	d := redisReader{r: src}
	regs, err := d.read()
	if err == nil {
		r.restore(regs)
	}
	return d.n, err
}

func (r *Redis) restore(regs []uint8) {
	r.Reset()
	s := redisSketch(regs)
	if s.stats, s.stale = count(regs, s.q()), false; s.zeros < len(regs) {
		r.s = s
	}
}

// MarshalText returns the string in standard base64, so that JSON works.
func (r *Redis) MarshalText() ([]byte, error) { return codec.EncodeText(r.appendTo(nil)), nil }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (r *Redis) UnmarshalText(text []byte) error {
	b, err := codec.DecodeText(codec.HLLSketch, text) // the kind only names the package
	if err != nil {
		return err
	}
	return r.UnmarshalBinary(b)
}

// redisReader takes one string from a source.
type redisReader struct {
	r   io.Reader
	n   int64 // bytes taken
	buf [redisHeader]byte
}

func (d *redisReader) read() ([]uint8, error) {
	if err := d.fill(d.buf[:]); err != nil {
		return nil, err
	}
	encoding, reserved := d.buf[4], d.buf[5:8]
	switch {
	case string(d.buf[:4]) != redisMagic:
		return nil, codec.CorruptIn("hll", "string begins with %q, want %q", d.buf[:4], redisMagic)
	case !bytes.Equal(reserved, []byte{0, 0, 0}):
		return nil, codec.CorruptIn("hll", "reserved bytes of the string are % x, want 0", reserved)
	case encoding == redisDense:
		return d.dense()
	case encoding == redisSparse:
		return d.sparse()
	}
	return nil, codec.CorruptIn("hll", "encoding of the string is %d, want 0 or 1", encoding)
}

func (d *redisReader) dense() ([]uint8, error) {
	b := make([]byte, packedSize(redisRegisters))
	if err := d.fill(b); err != nil {
		return nil, err
	}
	return unpack(codec.HLLSketch, b, redisLargest)
}

// sparse reads runs until there are as many registers as there must be. Every run
// is checked against the room left before any register is set: decoders that did
// not were exploited (CVE-2019-10192, CVE-2019-10193, CVE-2025-32023).
func (d *redisReader) sparse() ([]uint8, error) {
	regs := make([]uint8, redisRegisters)
	for left := regs; len(left) > 0; {
		op, err := d.next()
		if err != nil {
			return nil, err
		}
		v, n := uint8(0), 0
		switch {
		case op >= redisValue:
			v, n = op>>2&(redisMaxValue-1)+1, int(op&(redisMaxRun-1))+1
		case op >= redisManyZeros:
			low, err := d.next()
			if err != nil {
				return nil, err
			}
			n = int(op&(redisManyZeros-1))<<8 + int(low) + 1
		default:
			n = int(op) + 1
		}
		if n > len(left) {
			return nil, codec.CorruptIn("hll", "a run of %d registers, want at most the %d left", n, len(left))
		}
		if v > 0 {
			for i := range left[:n] {
				left[i] = v
			}
		}
		left = left[n:]
	}
	return regs, nil
}

func (d *redisReader) next() (byte, error) {
	err := d.fill(d.buf[:1])
	return d.buf[0], err
}

// fill reads all of b and counts.
func (d *redisReader) fill(b []byte) error {
	n, err := io.ReadFull(d.r, b)
	d.n += int64(n)
	switch {
	case err == nil:
		return nil
	case err == io.EOF && d.n == 0:
		return codec.CorruptIn("hll", "no string: %w", io.EOF)
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return codec.CorruptIn("hll", "string ends after %d bytes: %w", d.n, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("hll: reading a string: %w", err)
}
