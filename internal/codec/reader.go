package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// firstChunk is how much a payload's buffer holds before any of it has come.
const firstChunk = 64 << 10

// Reader takes exactly one image from a stream: the header in [NewReader], the
// payload by [Reader.Words] or [Reader.Bytes], the checksum by [Reader.Close].
// Nothing that it gave is to be trusted before Close returned nil.
type Reader struct {
	r    io.Reader
	kind Kind
	sum  xxhash.Digest
	n    int64 // bytes taken
	left int   // bytes of the payload to come
}

// NewReader reads a header of kind k whose version is at most maxVersion. A
// source that ends early gives an error that is [ErrCorrupt] and
// io.ErrUnexpectedEOF; one that ends before the first byte, ErrCorrupt and
// io.EOF, which ends a loop over images. The Reader is never nil, so that
// [Reader.Count] is there to report.
func NewReader(r io.Reader, k Kind, maxVersion byte) (*Reader, Header, error) {
	d := &Reader{r: r, kind: k}
	d.sum.Reset()
	var fixed [fixedSize]byte
	if err := d.fill(fixed[:]); err != nil {
		return d, Header{}, err
	}
	h, err := parseFixed(fixed, k, maxVersion)
	if err != nil {
		return d, Header{}, err
	}
	rest := make([]byte, h.size()-fixedSize)
	if err := d.fill(rest); err != nil {
		return d, Header{}, err
	}
	d.left, err = h.parseRest(rest)
	if err != nil {
		return d, Header{}, err
	}
	return d, h, nil
}

// Len returns how many bytes of the payload are to come.
func (d *Reader) Len() int { return d.left }

// Count returns how many bytes were taken from the source.
func (d *Reader) Count() int64 { return d.n }

// Bytes appends the payload to dst and returns it, growing with what arrives.
func (d *Reader) Bytes(dst []byte) ([]byte, error) {
	return collect(d, dst, 1, d.fill)
}

// Words appends the payload's words to dst and returns it, growing with what
// arrives.
func (d *Reader) Words(dst []uint64) ([]uint64, error) {
	if d.left%8 != 0 {
		return nil, Corrupt(d.kind, "payload of %d bytes, want a multiple of 8", d.left)
	}
	buf := make([]byte, min(4<<10, d.left))
	return collect(d, dst, 8, func(ws []uint64) error {
		for len(ws) > 0 {
			b := buf[:min(len(buf), 8*len(ws))]
			if err := d.fill(b); err != nil {
				return err
			}
			for i := range len(b) / 8 {
				ws[i] = binary.LittleEndian.Uint64(b[8*i:])
			}
			ws = ws[len(b)/8:]
		}
		return nil
	})
}

// collect reads the rest of the payload, in elements of that size, into chunks
// that double, and joins them at the end: twice the payload in all, whereas a
// slice that grows by copying takes up to three times.
func collect[E any](d *Reader, dst []E, size int, read func([]E) error) ([]E, error) {
	chunks := [][]E{dst}
	for next := firstChunk; d.left > 0; next *= 2 {
		n := min(next, d.left)
		chunk := make([]E, n/size)
		if err := read(chunk); err != nil {
			return nil, err
		}
		d.left -= n
		chunks = append(chunks, chunk)
	}
	if len(chunks) == 2 && len(dst) == 0 {
		return chunks[1], nil
	}
	return slices.Concat(chunks...), nil
}

// Close reads the checksum and compares it. It does not close the source.
func (d *Reader) Close() error {
	if d.left > 0 {
		return Corrupt(d.kind, "%d bytes of the payload were left unread", d.left)
	}
	want := d.sum.Sum64()
	var b [sumSize]byte
	if err := d.fill(b[:]); err != nil {
		return err
	}
	if got := binary.LittleEndian.Uint64(b[:]); got != want {
		return Corrupt(d.kind, "checksum is %016x, want %016x", want, got)
	}
	return nil
}

// fill reads all of b and counts and sums it.
func (d *Reader) fill(b []byte) error {
	n, err := io.ReadFull(d.r, b)
	d.n += int64(n)
	d.sum.Write(b[:n])
	switch {
	case err == nil:
		return nil
	case err == io.EOF && d.n == 0:
		return Corrupt(d.kind, "no image: %w", io.EOF)
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return Corrupt(d.kind, "ends after %d bytes: %w", d.n, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s: reading an image: %w", d.kind.pkg(), err)
}
