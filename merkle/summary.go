package merkle

import (
	"encoding/binary"
	"math/bits"
)

// Summary says what a set of entries is, whatever tree holds it: how many they
// are, and the sum modulo 2^128 of their fingerprints. Summaries of equal sets
// are equal; of different sets they differ but for one chance in 2^128, against
// an adversary only under a secret that the adversary does not know. They compare
// with ==. Only summaries of trees with the same secrets compare.
type Summary struct {
	Count uint64
	Sum   [16]byte // little-endian
}

// total is a summary in the making: an element of a group.
type total struct{ count, lo, hi uint64 }

func (a *total) add(b total) {
	var carry uint64
	a.count += b.count
	a.lo, carry = bits.Add64(a.lo, b.lo, 0)
	a.hi, _ = bits.Add64(a.hi, b.hi, carry)
}

func (a *total) sub(b total) {
	var borrow uint64
	a.count -= b.count
	a.lo, borrow = bits.Sub64(a.lo, b.lo, 0)
	a.hi, _ = bits.Sub64(a.hi, b.hi, borrow)
}

// one is the total of a single entry.
func (k *keying) one(h, v uint64) total {
	lo, hi := k.fingerprint(h, v)
	return total{1, lo, hi}
}

func (a total) summary() Summary {
	s := Summary{Count: a.count}
	binary.LittleEndian.PutUint64(s.Sum[:8], a.lo)
	binary.LittleEndian.PutUint64(s.Sum[8:], a.hi)
	return s
}
