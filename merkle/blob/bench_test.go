package blob_test

import (
	"bytes"
	"testing"

	"github.com/distkit/distkit/merkle/blob"
)

func BenchmarkBlob(b *testing.B) {
	data := pattern(8 << 20)
	b.Run("op=write", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			made(b, data)
		}
	})
	b.Run("op=readfrom", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			x, _ := made(b, nil)
			if _, err := x.ReadFrom(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	x, d := made(b, data)
	b.Run("op=verify", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			v := must(blob.NewVerifier(d))
			for i := range d.Chunks() {
				start, end := d.Bounds(i)
				if err := v.Verify(i, data[start:end], must(x.ProofFor(i, v.Known))); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
