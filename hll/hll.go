package hll

import (
	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// ErrCorrupt is wrapped by every error about bytes that are no sound image:
// damaged, cut short, too long, of another type, or of a newer version. All
// packages of distkit share this one value.
var ErrCorrupt = codec.ErrCorrupt

// ErrIncompatible is wrapped where two sound values do not go together: sketches
// under different secrets, a coarser sketch merged into a finer one, or an image
// made under another secret. All packages of distkit share this one value.
var ErrIncompatible = codec.ErrIncompatible

// keyed is what every type takes from its constructor and keeps when it decodes.
type keyed struct {
	secret *[16]byte // nil: keys are hashed with XXH64
}

// Hash returns what Add makes of key before it passes it to AddHash:
// distkit.Hash(key), or under WithSecret the secret's Hash.
func (k keyed) Hash(key []byte) uint64 {
	if k.secret != nil {
		return hash64.Sip(k.secret, key)
	}
	return hash64.Bytes(key)
}

// HashString equals Hash([]byte(key)) and does not copy.
func (k keyed) HashString(key string) uint64 {
	if k.secret != nil {
		return hash64.SipString(k.secret, key)
	}
	return hash64.String(key)
}

// sameSecret says whether both hash keys alike.
func (k keyed) sameSecret(other keyed) bool {
	if k.secret == nil || other.secret == nil {
		return k.secret == other.secret
	}
	return *k.secret == *other.secret
}

// remix makes the word that registers are chosen from. It is a bijection, so it
// keeps apart what h keeps apart, and its bits are fair even where those of h are
// not: h may be a row number, or all keys may come from one shard that was chosen
// by bits of h.
func remix(h uint64) uint64 { return hash64.Mix(h, hash64.SaltHLL) }
