package hll

import (
	"fmt"
	"math/bits"
)

// Option configures a constructor. One that does not apply to it is an error.
type Option func(*config)

// WithSecret (all types but Redis): keys given as bytes or strings are hashed
// with SipHash-2-4 under secret instead of XXH64. Use it where strangers choose
// the keys, who could otherwise pick some that do not count, or a few that count
// for millions. It costs about 10 ns a key. The secret is never encoded: an image
// decodes only into a receiver made with the same one, and sketches merge only
// under equal ones. A distkit.Secret fits. Default: none.
func WithSecret(secret [16]byte) Option {
	return func(c *config) { c.secret = &secret; c.set |= optSecret }
}

// WithDense (Sketch, ExaLogLog, Window): allocate all registers at once, so that
// no Add ever allocates or pays for growth. It costs the full size from the start
// and the near exact counts of small sets. Such a sketch is written dense, however
// few its keys. Default: begin sparse.
func WithDense() Option {
	return func(c *config) { c.dense = true; c.set |= optDense }
}

// WithMartingale (Sketch, ExaLogLog): estimate from the history of changes, with
// a fifth less error at the price of a float addition a change. The first Merge
// that brings in registers ends it: from then on, and until Reset, the estimate
// is the ordinary one. Sketches of equal keys added in different orders then have
// different images. Default: off. (Cohen 2014; Ting 2014.)
func WithMartingale() Option {
	return func(c *config) { c.martingale = true; c.set |= optMartingale }
}

type optionSet uint8

const (
	optSecret optionSet = 1 << iota
	optDense
	optMartingale
	optPanes
)

var optionNames = [...]string{"WithSecret", "WithDense", "WithMartingale", "WithPanes"}

type config struct {
	keyed
	dense, martingale bool
	panes             int
	set               optionSet
	err               error
}

// newConfig applies opts for the named constructor, which takes those of allowed.
func newConfig(constructor string, allowed optionSet, opts []Option) (config, error) {
	if len(opts) == 0 {
		return config{}, nil // one that options change is on the heap
	}
	var c config
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("hll: option %d of %s is nil", i, constructor)
		}
		o(&c)
		if c.err != nil {
			return c, c.err
		}
	}
	if other := c.set &^ allowed; other != 0 {
		return c, fmt.Errorf("hll: %s does not apply to %s", optionNames[bits.TrailingZeros8(uint8(other))], constructor)
	}
	return c, nil
}

// checkPrecision returns an error unless low <= p <= high.
func checkPrecision(p, low, high int) error {
	if p < low || p > high {
		return fmt.Errorf("hll: precision is %d, want %d to %d", p, low, high)
	}
	return nil
}
