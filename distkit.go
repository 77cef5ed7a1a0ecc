package distkit

import "github.com/distkit/distkit/internal/hash64"

// Hash returns the hash of key that every method named ...Hash expects: XXH64
// with seed 0. Compute it once and pass it to all structures that see the key.
// It is stable across processes, versions and machines, and it is not keyed:
// for keys that strangers choose see [Secret].
func Hash(key []byte) uint64 { return hash64.Bytes(key) }

// HashString equals Hash([]byte(key)) and does not copy.
func HashString(key string) uint64 { return hash64.String(key) }

// Secret is a key for hashing: 16 bytes that only your processes know. It fits
// every WithSecret option, and its methods give what the ...Hash methods of a
// structure made with that option expect.
type Secret [16]byte

// Hash returns the SipHash-2-4 of key under s.
func (s Secret) Hash(key []byte) uint64 { return hash64.Sip((*[16]byte)(&s), key) }

// HashString equals s.Hash([]byte(key)) and does not copy.
func (s Secret) HashString(key string) uint64 { return hash64.SipString((*[16]byte)(&s), key) }
