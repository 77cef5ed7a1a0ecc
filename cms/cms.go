package cms

import (
	"fmt"
	"math/bits"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// ErrCorrupt is wrapped by every error about bytes that are no sound image:
// damaged, cut short, too long, of another type, or of a newer version. All
// packages of distkit share this one value.
var ErrCorrupt = codec.ErrCorrupt

// ErrIncompatible is wrapped where two sound values do not go together: sketches
// of other sizes, kinds of counters or secrets in Merge, a sketch that is no part
// of another in Subtract, or an image made under another secret. All packages of
// distkit share this one value.
var ErrIncompatible = codec.ErrIncompatible

// Option configures a constructor. One that does not apply to it is an error.
type Option func(*config)

// WithConservative (Sketch, Concurrent): raise only the counters that are below
// the new estimate. It about halves the error and costs a Sketch next to no time;
// Subtract, InnerProduct and CountMean need a plain sketch. A merge still never
// underestimates, but is no longer what one sketch of both streams would hold.
// Default: plain.
func WithConservative() Option {
	return func(c *config) { c.conservative = true; c.set |= optConservative }
}

// WithWideCounters (Sketch, Concurrent, Window): counters of 64 bits instead of 32, for
// bytes and money. It doubles the memory. Default: 32 bits, which stay at
// 4,294,967,295 once they are there.
func WithWideCounters() Option {
	return func(c *config) { c.wide = true; c.set |= optWide }
}

// WithSecret (all types): keys given as bytes or strings are hashed with
// SipHash-2-4 under secret instead of XXH64. Use it where strangers choose the
// keys, since XXH64 can be inverted and the count of a key be inflated on purpose.
// It costs some 10 ns a key. The secret is never encoded: an image decodes only
// into a receiver made with the same one. A distkit.Secret fits. Default: none.
func WithSecret(secret [16]byte) Option {
	return func(c *config) { c.secret = &secret; c.set |= optSecret }
}

type optionSet uint8

const (
	optConservative optionSet = 1 << iota
	optWide
	optSecret
	optCounters
	optPanes
)

var optionNames = [...]string{"WithConservative", "WithWideCounters", "WithSecret", "WithCounters", "WithPanes"}

type config struct {
	keyed
	conservative, wide bool
	counters, panes    int
	set                optionSet
	err                error
}

// newConfig applies opts for the named constructor, which takes those of allowed.
func newConfig(constructor string, allowed optionSet, opts []Option) (config, error) {
	var c config
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("cms: option %d of %s is nil", i, constructor)
		}
		o(&c)
		if c.err != nil {
			return c, c.err
		}
	}
	if other := c.set &^ allowed; other != 0 {
		return c, fmt.Errorf("cms: %s does not apply to %s", optionNames[bits.TrailingZeros8(uint8(other))], constructor)
	}
	return c, nil
}

// keyed is how a type hashes its keys; it keeps that when it decodes.
type keyed struct {
	secret *[16]byte // nil: keys are hashed with XXH64
}

// Hash returns what Add and Count make of key before they pass it to AddHash and
// CountHash: distkit.Hash(key), or under WithSecret the secret's Hash.
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
func (k *keyed) sameSecret(other *keyed) bool {
	if k.secret == nil || other.secret == nil {
		return k.secret == other.secret
	}
	return *k.secret == *other.secret
}
