package distkit_test

import (
	"fmt"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit"
	"github.com/stretchr/testify/assert"
)

func TestHashIsXXH64(t *testing.T) {
	b := make([]byte, 100)
	for i := range b {
		b[i] = byte(i * 37)
	}
	for n := range len(b) + 1 {
		assert.Equal(t, xxhash.Sum64(b[:n]), distkit.Hash(b[:n]))
		assert.Equal(t, xxhash.Sum64(b[:n]), distkit.HashString(string(b[:n])))
	}
}

// The example of the SipHash paper, appendix A.
func TestSecretIsSipHash(t *testing.T) {
	var s distkit.Secret
	var in [15]byte
	for i := range s {
		s[i] = byte(i)
	}
	copy(in[:], s[:])
	assert.Equal(t, uint64(0xa129ca6149be45e5), s.Hash(in[:]))
	assert.Equal(t, uint64(0xa129ca6149be45e5), s.HashString(string(in[:])))
}

func ExampleHash() {
	fmt.Printf("%016x\n", distkit.Hash([]byte("asdf")))
	// Output: 415872f599cea71e
}

func ExampleHashString() {
	fmt.Println(distkit.HashString("asdf") == distkit.Hash([]byte("asdf")))
	// Output: true
}
