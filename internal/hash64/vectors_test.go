package hash64_test

import (
	"encoding/binary"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/stretchr/testify/assert"
)

// Published values of XXH64 with seed 0.
func TestXXH64Vectors(t *testing.T) {
	for key, want := range map[string]uint64{
		"":     0xef46db3751d8e999,
		"a":    0xd24ec4f1a98c6e5b,
		"asdf": 0x415872f599cea71e,
		"Call me Ishmael. Some years ago--never mind how long precisely-": 0x02a2e85470d6fd96,
	} {
		type name string
		type raw []byte
		assert.Equal(t, want, hash64.Bytes([]byte(key)), "%q", key)
		assert.Equal(t, want, hash64.String(key), "%q", key)
		assert.Equal(t, want, hash64.Key(name(key)), "%q", key)
		assert.Equal(t, want, hash64.Key(raw(key)), "%q", key)
	}
}

// The paper's example, appendix A of Aumasson and Bernstein 2012, and the first
// entries of the reference implementation's vectors.h for both widths.
func TestSipHashVectors(t *testing.T) {
	var secret [16]byte
	var in [64]byte
	for i := range in {
		in[i] = byte(i)
	}
	copy(secret[:], in[:])
	for n, want := range map[int]uint64{
		0: 0x726fdb47dd0e0e31, 1: 0x74f839c593dc67fd, 7: 0xab0200f58b01d137, 8: 0x93f5f5799a932462,
		15: 0xa129ca6149be45e5,
	} {
		assert.Equal(t, want, hash64.Sip(&secret, in[:n]), "%d bytes", n)
		assert.Equal(t, want, hash64.SipString(&secret, string(in[:n])), "%d bytes", n)
	}
	var out [16]byte
	lo, hi := hash64.Sip128(&secret, nil)
	binary.LittleEndian.PutUint64(out[:], lo)
	binary.LittleEndian.PutUint64(out[8:], hi)
	assert.Equal(t, [16]byte{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93}, out)
}

func TestCheckTellsSecretsApart(t *testing.T) {
	a, b := [16]byte{1}, [16]byte{2}
	assert.Zero(t, hash64.Check(nil))
	assert.NotZero(t, hash64.Check(&a))
	assert.NotEqual(t, hash64.Check(&a), hash64.Check(&b))
}
