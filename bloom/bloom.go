package bloom

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// ErrCorrupt is wrapped by every error about bytes that are no sound image:
// damaged, cut short, too long, of another type, or of a newer version. All
// packages of distkit share this one value.
var ErrCorrupt = codec.ErrCorrupt

// ErrIncompatible is wrapped where two sound values do not go together: filters
// of other sizes, layouts or secrets in Merge, an image made under another
// secret, or one larger than the receiver's WithMaxBytes. All packages of
// distkit share this one value.
var ErrIncompatible = codec.ErrIncompatible

// Option configures a constructor. One that does not apply to it is an error.
type Option func(*config)

// WithSecret (all types): keys given as bytes or strings are hashed with
// SipHash-2-4 under secret instead of XXH64. Use it where strangers choose the
// keys, since XXH64 can be inverted and a filter be filled or fooled on purpose.
// It costs some 10 ns a key. The secret is never encoded: an image decodes only
// into a receiver made with the same one. A distkit.Secret fits. Default: none.
func WithSecret(secret [16]byte) Option {
	return func(c *config) { c.secret = &secret; c.set |= optSecret }
}

// WithMaxBytes (all types but View): refuse to be, to grow or to decode larger
// than n bytes of memory, n > 0. A receiver keeps it when it decodes. Default:
// no limit but the type's own.
func WithMaxBytes(n uint64) Option {
	return func(c *config) {
		c.limit = n
		c.set |= optMaxBytes
		if n == 0 {
			c.err = errors.New("bloom: limit of WithMaxBytes is 0, want at least 1")
		}
	}
}

// WithPowerOfTwo (Filter, Concurrent): round the number of 32-byte blocks up to
// a power of two, which some readers of Parquet files demand (ClickHouse, Arrow
// C++, Velox). It costs up to twice the memory. Default: no rounding.
func WithPowerOfTwo() Option {
	return func(c *config) { c.powerOfTwo = true; c.set |= optPowerOfTwo }
}

type optionSet uint8

const (
	optSecret optionSet = 1 << iota
	optMaxBytes
	optPowerOfTwo
	optWindow
	optPanes
)

var optionNames = [...]string{"WithSecret", "WithMaxBytes", "WithPowerOfTwo", "WithWindow", "WithPanes"}

type config struct {
	keyed
	powerOfTwo bool
	window     time.Duration
	panes      int
	set        optionSet
	err        error
}

// newConfig applies opts for the named constructor, which takes those of allowed.
func newConfig(constructor string, allowed optionSet, opts []Option) (config, error) {
	var c config
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("bloom: option %d of %s is nil", i, constructor)
		}
		o(&c)
		if c.err != nil {
			return c, c.err
		}
	}
	if other := c.set &^ allowed; other != 0 {
		return c, fmt.Errorf("bloom: %s does not apply to %s", optionNames[bits.TrailingZeros8(uint8(other))], constructor)
	}
	return c, nil
}

// keyed is what every type takes from its constructor and keeps when it decodes.
type keyed struct {
	secret *[16]byte // nil: keys are hashed with XXH64
	limit  uint64    // of bytes held; 0: none
}

// Hash returns what Add and Contains make of key before they pass it to AddHash
// and ContainsHash: distkit.Hash(key), or under WithSecret the secret's Hash.
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

// fits returns an error when bytes exceed the limit of WithMaxBytes, or what this
// machine can address.
func (k *keyed) fits(bytes uint64) error {
	if bytes > math.MaxInt {
		return fmt.Errorf("bloom: filter needs %d bytes, want at most %d", bytes, math.MaxInt)
	}
	if k.limit != 0 && bytes > k.limit {
		return fmt.Errorf("bloom: filter needs %d bytes, limit of WithMaxBytes is %d", bytes, k.limit)
	}
	return nil
}

// checkRate returns an error unless least <= p < 1; instead names the types to
// use below least.
func checkRate(p, least float64, instead string) error {
	if !(p > 0 && p < 1) {
		return fmt.Errorf("bloom: false-positive rate is %g, want 0 < p < 1", p)
	}
	if p < least {
		return fmt.Errorf("bloom: false-positive rate is %g, want at least %g (%s)", p, least, instead)
	}
	return nil
}

// checkCount returns an error for a filter of no keys.
func checkCount(n uint64) error {
	if n == 0 {
		return errors.New("bloom: number of keys is 0, want at least 1")
	}
	return nil
}
