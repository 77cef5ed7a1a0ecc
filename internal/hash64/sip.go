package hash64

import "math/bits"

// Sip returns the SipHash-2-4 of b under secret, whose two key words are read
// as little-endian (Aumasson and Bernstein 2012). It is a pseudo-random
// function: without the secret nobody can aim a key at a value.
func Sip(secret *[16]byte, b []byte) uint64 {
	s := absorb(secret, b, 0)
	s.v2 ^= 0xff
	s.rounds4()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// SipString equals Sip(secret, []byte(k)) and does not copy.
func SipString(secret *[16]byte, k string) uint64 {
	s := absorb(secret, k, 0)
	s.v2 ^= 0xff
	s.rounds4()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// Sip128 returns the 128-bit SipHash-2-4 of b under secret, lo first as in the
// reference implementation's output. Its halves are not Sip's value.
func Sip128(secret *[16]byte, b []byte) (lo, hi uint64) {
	s := absorb(secret, b, 0xee)
	s.v2 ^= 0xee
	s.rounds4()
	lo = s.v0 ^ s.v1 ^ s.v2 ^ s.v3
	s.v1 ^= 0xdd
	s.rounds4()
	return lo, s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// Check returns what an image holds of the secret it was made under, so that a
// decoder can tell another secret without knowing this one: the SipHash of a
// constant. A nil secret, which means none, gives 0.
func Check(secret *[16]byte) uint64 {
	if secret == nil {
		return 0
	}
	return SipString(secret, "distkit secret check")
}

type sipState struct{ v0, v1, v2, v3 uint64 }

func absorb[K string | []byte](secret *[16]byte, k K, tweak uint64) sipState {
	k0, k1 := word(secret[:]), word(secret[8:])
	s := sipState{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ tweak, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	last := uint64(len(k)) << 56
	for len(k) >= 8 {
		m := word(k)
		s.v3 ^= m
		s.round()
		s.round()
		s.v0 ^= m
		k = k[8:]
	}
	for i := range len(k) {
		last |= uint64(k[i]) << (8 * i)
	}
	s.v3 ^= last
	s.round()
	s.round()
	s.v0 ^= last
	return s
}

func (s *sipState) round() {
	s.v0 += s.v1
	s.v2 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v1
	s.v0 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

func (s *sipState) rounds4() {
	s.round()
	s.round()
	s.round()
	s.round()
}

// word reads eight bytes, little-endian; the compiler makes one load of it.
func word[K string | []byte](k K) uint64 {
	_ = k[7]
	return uint64(k[0]) | uint64(k[1])<<8 | uint64(k[2])<<16 | uint64(k[3])<<24 |
		uint64(k[4])<<32 | uint64(k[5])<<40 | uint64(k[6])<<48 | uint64(k[7])<<56
}
