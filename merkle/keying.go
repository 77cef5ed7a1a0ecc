package merkle

import (
	"encoding/binary"

	"github.com/distkit/distkit/internal/hash64"
)

// keying is how a tree turns keys into positions, versions into digests and
// entries into what it sums. Trees that differ in it cannot be compared.
type keying struct {
	secret    *[16]byte // nil: none
	positions bool      // the secret keys positions too
	sums      [16]byte  // derived: keys the fingerprints
	session   [16]byte  // derived: keys what sessions send of sums
}

var unkeyed = newKeying(nil, false)

func newKeying(secret *[16]byte, positions bool) *keying {
	k := &keying{secret: secret, positions: positions}
	base := secret
	if base == nil {
		base = new([16]byte)
	}
	label := "sums only"
	if positions {
		label = "positions and sums"
	}
	for dst, purpose := range map[*[16]byte]string{&k.sums: "distkit/merkle sums: ", &k.session: "distkit/merkle sessions: "} {
		lo, hi := hash64.Sip128(base, []byte(purpose+label))
		binary.LittleEndian.PutUint64(dst[:8], lo)
		binary.LittleEndian.PutUint64(dst[8:], hi)
	}
	return k
}

func (k *keying) equal(o *keying) bool {
	if k == o {
		return true
	}
	return (k.secret == nil) == (o.secret == nil) && k.sums == o.sums
}

func (k *keying) position(key []byte) uint64 {
	if k.positions {
		return hash64.Sip(k.secret, key)
	}
	return hash64.Bytes(key)
}

func (k *keying) positionString(key string) uint64 {
	if k.positions {
		return hash64.SipString(k.secret, key)
	}
	return hash64.String(key)
}

func (k *keying) version(version []byte) uint64 {
	if k.secret != nil {
		return hash64.Sip(k.secret, version)
	}
	return hash64.Bytes(version)
}

// What makes the unkeyed fingerprint differ from every other use of Mix.
const (
	salt1 uint64 = 0xd6e8feb86659fd93
	salt2 uint64 = 0xa0761d6478bd642f
	salt3 uint64 = 0xe7037ed1a0b428db
)

// fingerprint returns 128 bits of an entry: a pseudo-random function under a
// secret; without one a bijection of good avalanche, which nobody should be
// allowed to aim at. Its bits serve three ends: the sum takes all, the sketch
// finds its cells by the low half and checks by the top 32.
func (k *keying) fingerprint(h, v uint64) (lo, hi uint64) {
	if k.secret == nil {
		a := hash64.Mix(h, salt1)
		lo = hash64.Mix(v^a, salt2)
		return lo, hash64.Mix(lo+a, salt3)
	}
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], h)
	binary.LittleEndian.PutUint64(b[8:], v)
	return hash64.Sip128(&k.sums, b[:])
}
