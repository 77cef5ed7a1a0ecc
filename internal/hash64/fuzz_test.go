package hash64_test

import (
	"encoding/binary"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/hash64"
)

func FuzzHash(f *testing.F) {
	for n := range 40 {
		f.Add(make([]byte, n))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		type raw []byte
		d := xxhash.New()
		d.Write(b)
		want := d.Sum64()
		if hash64.Bytes(b) != want || hash64.String(string(b)) != want || hash64.Key(raw(b)) != want {
			t.Fatalf("hashes of %x differ", b)
		}
		if len(b) == 8 && hash64.Integer(binary.LittleEndian.Uint64(b)) != want {
			t.Fatalf("hash of the integer %x differs", b)
		}
		var secret [16]byte
		copy(secret[:], b)
		if hash64.Sip(&secret, b) != hash64.SipString(&secret, string(b)) {
			t.Fatalf("SipHash of %x differs", b)
		}
	})
}
