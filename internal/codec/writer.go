package codec

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
)

// Writer streams one image with a running checksum, so that no second copy of a
// large payload is made. After an error every call returns it again.
type Writer struct {
	w    io.Writer
	kind Kind
	sum  xxhash.Digest
	n    int64
	left int // bytes of the payload to come
	err  error
	buf  []byte
}

// NewWriter writes the header before a payload of that many bytes. The Writer
// is never nil, so that [Writer.Close] is there to report.
func NewWriter(w io.Writer, h Header, payload int) (*Writer, error) {
	e := &Writer{w: w, kind: h.Kind, left: payload, buf: make([]byte, min(firstChunk/2, max(payload, sumSize)))}
	e.sum.Reset()
	e.write(h.append(nil, payload))
	return e, e.err
}

// Bytes writes the next bytes of the payload.
func (e *Writer) Bytes(b []byte) error {
	e.take(len(b))
	e.write(b)
	return e.err
}

// Words writes the next words of the payload.
func (e *Writer) Words(ws []uint64) error {
	e.take(8 * len(ws))
	for len(ws) > 0 && e.err == nil {
		n := min(len(ws), cap(e.buf)/8)
		e.write(AppendWords(e.buf[:0], ws[:n]))
		ws = ws[n:]
	}
	return e.err
}

func (e *Writer) take(n int) {
	if e.err == nil && n > e.left {
		e.err = fmt.Errorf("%s: payload is %d bytes longer than its header says", e.kind.pkg(), n-e.left)
	}
	e.left -= n
}

// Close writes the checksum and returns how many bytes the image has or, after
// an error, how many were written. It does not close the destination.
func (e *Writer) Close() (int64, error) {
	if e.err == nil && e.left != 0 {
		e.err = fmt.Errorf("%s: payload is %d bytes shorter than its header says", e.kind.pkg(), e.left)
	}
	e.write(binary.LittleEndian.AppendUint64(e.buf[:0], e.sum.Sum64()))
	return e.n, e.err
}

// write sums and writes b.
func (e *Writer) write(b []byte) {
	if e.err != nil {
		return
	}
	e.sum.Write(b)
	n, err := e.w.Write(b)
	e.n += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		e.err = fmt.Errorf("%s: writing an image: %w", e.kind.pkg(), err)
	}
}
