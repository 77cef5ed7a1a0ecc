package cms_test

import (
	"bytes"
	"encoding"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/codec"
)

type image interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
	io.ReaderFrom
}

// Whatever is accepted encodes to the same bytes again, and both ways of decoding
// agree. Every input is tried as it is and under a right checksum.
func FuzzDecode(f *testing.F) {
	s, err := cms.NewSize(8, 2)
	if err != nil {
		f.Fatal(err)
	}
	k, err := cms.NewTopK(3, cms.WithCounters(8))
	if err != nil {
		f.Fatal(err)
	}
	r, err := cms.NewTrending(3, time.Second, cms.WithCounters(8))
	if err != nil {
		f.Fatal(err)
	}
	w, err := cms.NewWindow(0.5, 0.3, time.Second, cms.WithPanes(3))
	if err != nil {
		f.Fatal(err)
	}
	for i, key := range []string{"a", "b", "a", "c", "d", "e"} {
		s.AddString(key)
		k.AddString(key)
		r.AddStringAt(time.Unix(int64(i), 0), key)
		w.AddStringAt(time.Unix(0, int64(i)*3e8), key)
	}
	for _, v := range []encoding.BinaryMarshaler{s, k, r, w} {
		b, err := v.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		mended := bytes.Clone(data)
		if len(data) >= 8 {
			mended = codec.AppendSum(mended[:len(data)-8], 0)
		}
		for _, data := range [][]byte{data, mended} {
			for _, pair := range [][2]image{{new(cms.Sketch), new(cms.Sketch)}, {new(cms.TopK), new(cms.TopK)}, {new(cms.Trending), new(cms.Trending)}, {new(cms.Window), new(cms.Window)}} {
				err := pair[0].UnmarshalBinary(data)
				n, err2 := pair[1].ReadFrom(bytes.NewReader(data))
				if (err == nil) != (err2 == nil && n == int64(len(data))) {
					t.Fatalf("%T: one way says %v, the other %v after %d of %d bytes", pair[0], err, err2, n, len(data))
				}
				if err != nil {
					if !errors.Is(err, cms.ErrCorrupt) && !errors.Is(err, cms.ErrIncompatible) {
						t.Fatalf("%T: %v", pair[0], err)
					}
					continue
				}
				for _, v := range pair {
					again, err := v.MarshalBinary()
					// Flags that a reader may ignore are not written again.
					if err != nil || data[5] == 0 && !bytes.Equal(again, data) {
						t.Fatalf("%T: accepted %x, wrote %x (%v)", v, data, again, err)
					}
				}
			}
		}
	})
}
