package codec_test

import (
	"bytes"
	"testing"

	"github.com/distkit/distkit/internal/codec"
)

// What is accepted is canonical: writing it again gives the same bytes, and the
// stream reader accepts exactly what the parser does.
func FuzzParse(f *testing.F) {
	for _, align := range []byte{0, 3, 6} {
		f.Add(image(align))
		f.Add(image(align)[:30])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, payload, err := codec.Parse(data, codec.BloomFilter, 255)
		r, h2, err2 := codec.NewReader(bytes.NewReader(data), codec.BloomFilter, 255)
		var raw []byte
		if err2 == nil {
			if raw, err2 = r.Bytes(nil); err2 == nil {
				err2 = r.Close()
			}
		}
		trailing := err2 == nil && r.Count() < int64(len(data))
		if (err == nil) != (err2 == nil && !trailing) {
			t.Fatalf("parse says %v, read says %v", err, err2)
		}
		if err != nil {
			return
		}
		again := codec.AppendSum(append(codec.AppendHeader(nil, h, len(payload)), payload...), 0)
		if !bytes.Equal(again, data) || !bytes.Equal(raw, payload) || h2.Must != h.Must {
			t.Fatalf("accepted %x, wrote %x", data, again)
		}
	})
}
