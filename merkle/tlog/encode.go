package tlog

import (
	"cmp"
	"io"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// The images of a Log and a Frontier: package comment, Format.
const version = 0

// maxSize is the largest size that an image may state.
const maxSize = 1 << 58

// MarshalBinary returns the image of the log: its leaf hashes, 32 bytes an entry.
// The error is always nil.
func (l *Log) MarshalBinary() ([]byte, error) { return l.AppendBinary(nil) }

// AppendBinary appends the image of the log to b, with at most one allocation.
// The error is always nil.
func (l *Log) AppendBinary(b []byte) ([]byte, error) {
	v := l.view()
	start := len(b)
	b = codec.AppendHeader(b, v.header(), int(v.size)*merkle.HashSize)
	for i := range v.size {
		b = append(b, v.s.node(0, i)[:]...)
	}
	return codec.AppendSum(b, start), nil
}

// WriteTo writes the image of the log to w, without a second copy of it in
// memory. Another goroutine may append meanwhile: the image is of the log as it
// was when WriteTo began.
func (l *Log) WriteTo(w io.Writer) (int64, error) {
	v := l.view()
	e, err := codec.NewWriter(w, v.header(), int(v.size)*merkle.HashSize)
	buf := make([]byte, 0, tileLeaves*merkle.HashSize)
	for i := uint64(0); i < v.size && err == nil; {
		buf = buf[:0]
		for ; i < v.size && len(buf) < cap(buf); i++ {
			buf = append(buf, v.s.node(0, i)[:]...)
		}
		err = e.Bytes(buf)
	}
	n, err2 := e.Close()
	return n, cmp.Or(err, err2)
}

func (v *View) header() codec.Header {
	return codec.Header{Kind: codec.TlogLog, Version: version, Params: []uint64{v.size}}
}

// UnmarshalBinary makes l the log whose image is exactly data, which it copies,
// and calculates its nodes on all processors. Bytes that are no image of a log
// are merkle.ErrCorrupt and leave l as it was. Snapshots taken before stay what
// they are.
func (l *Log) UnmarshalBinary(data []byte) error {
	h, payload, err := codec.Parse(data, codec.TlogLog, version)
	if err != nil {
		return err
	}
	if err := checkLog(h, uint64(len(payload))); err != nil {
		return err
	}
	l.restore(payload)
	return nil
}

// ReadFrom reads exactly one image from r, as UnmarshalBinary does, and no byte
// beyond it. A source that ends before the first byte is io.EOF as well as
// merkle.ErrCorrupt, one that ends early io.ErrUnexpectedEOF.
func (l *Log) ReadFrom(r io.Reader) (int64, error) {
	n, _, payload, err := read(r, codec.TlogLog, checkLog)
	if err != nil {
		return n, err
	}
	l.restore(payload)
	return n, nil
}

func checkLog(h codec.Header, payload uint64) error {
	if err := h.Check(0, 1, 0); err != nil {
		return err
	}
	if size := h.Params[0]; size > maxSize || size*merkle.HashSize != payload {
		return codec.Corrupt(codec.TlogLog, "payload of %d bytes, want %d for each of %d entries", payload, merkle.HashSize, size)
	}
	return nil
}

func (l *Log) restore(payload []byte) {
	s := newStore()
	s.extend(len(payload)/merkle.HashSize, func(_ *merklehash.Hasher, i int) merkle.Hash {
		return merkle.Hash(payload[i*merkle.HashSize:])
	})
	l.s.Store(s)
}

// MarshalBinary returns the image of f, at most 4 KiB. The error is always nil.
func (f *Frontier) MarshalBinary() ([]byte, error) { return f.AppendBinary(nil) }

// AppendBinary appends the image of f to b, with at most one allocation. The
// error is always nil.
func (f *Frontier) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = codec.AppendHeader(b, f.header(), len(f.hashes)*merkle.HashSize)
	for _, h := range f.hashes {
		b = append(b, h[:]...)
	}
	return codec.AppendSum(b, start), nil
}

// WriteTo writes the image of f to w.
func (f *Frontier) WriteTo(w io.Writer) (int64, error) {
	e, err := codec.NewWriter(w, f.header(), len(f.hashes)*merkle.HashSize)
	for i := 0; i < len(f.hashes) && err == nil; i++ {
		err = e.Bytes(f.hashes[i][:])
	}
	n, err2 := e.Close()
	return n, cmp.Or(err, err2)
}

func (f *Frontier) header() codec.Header {
	return codec.Header{Kind: codec.TlogFrontier, Version: version, Params: []uint64{f.begin, f.end}}
}

// UnmarshalBinary makes f the frontier whose image is exactly data, which it
// copies. Bytes that are no image of a frontier are merkle.ErrCorrupt and leave f
// as it was.
func (f *Frontier) UnmarshalBinary(data []byte) error {
	h, payload, err := codec.Parse(data, codec.TlogFrontier, version)
	if err != nil {
		return err
	}
	if err := checkFrontier(h, uint64(len(payload))); err != nil {
		return err
	}
	f.restore(h, payload)
	return nil
}

// ReadFrom reads exactly one image from r, as UnmarshalBinary does, and no byte
// beyond it. A source that ends before the first byte is io.EOF as well as
// merkle.ErrCorrupt, one that ends early io.ErrUnexpectedEOF.
func (f *Frontier) ReadFrom(r io.Reader) (int64, error) {
	n, h, payload, err := read(r, codec.TlogFrontier, checkFrontier)
	if err != nil {
		return n, err
	}
	f.restore(h, payload)
	return n, nil
}

func checkFrontier(h codec.Header, payload uint64) error {
	if err := h.Check(0, 2, 0); err != nil {
		return err
	}
	begin, end := h.Params[0], h.Params[1]
	if begin > end {
		return codec.Corrupt(codec.TlogFrontier, "begins with entry %d, ends before %d", begin, end)
	}
	if want := subtrees(begin, end); payload != uint64(want)*merkle.HashSize {
		return codec.Corrupt(codec.TlogFrontier, "payload of %d bytes, want %d hashes for entries [%d, %d)", payload, want, begin, end)
	}
	return nil
}

func (f *Frontier) restore(h codec.Header, payload []byte) {
	hashes := make([]merkle.Hash, len(payload)/merkle.HashSize)
	for i := range hashes {
		hashes[i] = merkle.Hash(payload[i*merkle.HashSize:])
	}
	f.begin, f.end, f.hashes = h.Params[0], h.Params[1], hashes
}

// read takes one image from r and returns its payload when its checksum is right.
func read(r io.Reader, k codec.Kind, check func(codec.Header, uint64) error) (int64, codec.Header, []byte, error) {
	d, h, err := codec.NewReader(r, k, version)
	if err != nil {
		return d.Count(), h, nil, err
	}
	if err := check(h, uint64(d.Len())); err != nil {
		return d.Count(), h, nil, err
	}
	payload, err := d.Bytes(nil)
	if err == nil {
		err = d.Close()
	}
	return d.Count(), h, payload, err
}
