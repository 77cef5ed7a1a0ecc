package ratelimit

import (
	"hash/maphash"

	"github.com/distkit/distkit/internal/hash64"
)

// hasher makes of a key what stands for it in a table, never 0: by maphash, or by
// SipHash under a secret. XXH64 would not do, seeded or not, for there are keys
// that collide under every seed, and whoever sends one could spend another's limit.
type hasher struct {
	seed   maphash.Seed
	secret *[16]byte
	remix  uint64 // for hashes that the caller brings
}

func newHasher(secret *[16]byte) hasher {
	h := hasher{seed: maphash.MakeSeed(), secret: secret}
	if secret != nil {
		h.remix = hash64.SipString(secret, "ratelimit: hashes of the caller")
	} else {
		h.remix = maphash.String(h.seed, "ratelimit: hashes of the caller")
	}
	return h
}

func (h *hasher) bytes(key []byte) uint64 {
	if h.secret != nil {
		return nonzero(hash64.Sip(h.secret, key))
	}
	return nonzero(maphash.Bytes(h.seed, key))
}

func (h *hasher) string(key string) uint64 {
	if h.secret != nil {
		return nonzero(hash64.SipString(h.secret, key))
	}
	return nonzero(maphash.String(h.seed, key))
}

// hash remixes x, so that nobody can aim at a group, and x need not be uniform.
func (h *hasher) hash(x uint64) uint64 { return nonzero(hash64.Mix(x^h.remix, hash64.SaltLimit)) }

func nonzero(h uint64) uint64 { return max(1, h) }
