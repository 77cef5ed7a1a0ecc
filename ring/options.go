package ring

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/distkit/distkit/internal/hash64"
)

// Option sets a parameter of a constructor. Each option names the types that it
// applies to; for the others it is an error.
type Option func(*config)

// setting is a bit for each option, by which constructors refuse those that do
// not apply to them.
type setting uint

const (
	setVirtualNodes setting = 1 << iota
	setTolerance
	setSecret
	setTokens
	setJumps
	setTableSize
	setPartitions
)

var settingNames = [...]string{
	"WithVirtualNodes", "WithTolerance", "WithSecret", "WithTokens", "WithJumps", "WithTableSize", "WithPartitions",
}

type config struct {
	set        setting
	virtual    int
	tolerance  float64
	secret     *[16]byte
	tokens     func(dst []uint64, n Node, count int) []uint64
	tableSize  int
	partitions int
}

const defaultVirtualNodes = 512

// WithVirtualNodes applies to Ring: the number of tokens per unit of weight, 1
// to 2^28, default 512. With v tokens on each of n equal nodes, the shares have
// a relative standard deviation of sqrt((n-1)/(n*v+1)): 4.4 % for 512 tokens,
// 7.9 % for 160. A token takes 15 to 28 bytes, and lookups take the same time
// whatever v is, as long as the index stays in the CPU's cache.
func WithVirtualNodes(n int) Option {
	return func(c *config) { c.set |= setVirtualNodes; c.virtual = n }
}

// WithTolerance applies to Ring: it holds every node's share of the keys within
// eps of its fair share, 0 < eps < 1, by giving nodes more or fewer
// tokens. The result is still a function of the membership alone, however the
// ring got there. The price is that a change may move some keys between nodes
// that stay (about 0.2 % of all keys at eps = 0.05 with 100 nodes), and that
// New, Add, Remove and Update place all nodes anew, which takes about ten times
// as long. Where a ring cannot be balanced so well, as with very few virtual
// nodes, it is as near as was found in 60 rounds.
func WithTolerance(eps float64) Option {
	return func(c *config) { c.set |= setTolerance; c.tolerance = eps }
}

// WithSecret applies to Ring, Rendezvous, Maglev and Table: keys and node IDs
// are hashed by SipHash-2-4 under the secret instead of XXH64, so that nobody
// who does not know it can choose keys, or a node's ID, that aim at one node. It
// costs about 10 ns a key. All processes that share the placement need the
// same secret; encodings do not hold it.
func WithSecret(secret [16]byte) Option {
	return func(c *config) { c.set |= setSecret; c.secret = &secret }
}

// WithTokens applies to Ring: the tokens come from f instead of this package's
// own stream: another system's placement ([EnvoyTokens], [KetamaTokens]) or
// tokens that were agreed upon. f appends the tokens of n to dst and returns
// it; count is what the node's weight asks for, and f may return any other
// number, but at least one. Of every token the low 16 bits are set: positions
// have 48 bits. f must be a function of its arguments, and tokens for a smaller
// count should be a prefix of those for a larger one, or a new weight moves
// more keys than it needs to.
func WithTokens(f func(dst []uint64, n Node, count int) []uint64) Option {
	return func(c *config) { c.set |= setTokens; c.tokens = f }
}

// configure applies opts for the named type, to which those in allowed apply.
func configure(typ string, allowed setting, opts []Option) (config, error) {
	c := config{virtual: defaultVirtualNodes, tableSize: defaultTableSize, partitions: defaultPartitions}
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("ring: option %d of %s is nil", i, typ)
		}
		o(&c)
	}
	if bad := c.set &^ allowed; bad != 0 {
		return c, fmt.Errorf("ring: %s does not apply to %s", settingNames[bits.TrailingZeros(uint(bad))], typ)
	}
	if c.virtual < 1 || c.virtual > maxTokens {
		return c, fmt.Errorf("ring: virtual nodes is %d, want 1 to %d", c.virtual, maxTokens)
	}
	if c.set&setTolerance != 0 && !(c.tolerance > 0 && c.tolerance < 1) {
		return c, fmt.Errorf("ring: tolerance is %g, want 0 < eps < 1", c.tolerance)
	}
	if c.set&setTokens != 0 && c.tokens == nil {
		return c, fmt.Errorf("ring: token function is nil")
	}
	if c.partitions < 1 || c.partitions > maxPartitions || c.partitions&(c.partitions-1) != 0 {
		return c, fmt.Errorf("ring: partitions is %d, want a power of two up to %d", c.partitions, maxPartitions)
	}
	return c, nil
}

// hash returns the position of key.
func (c *config) hash(key []byte) uint64 {
	if c.secret != nil {
		return hash64.Sip(c.secret, key)
	}
	return hash64.Bytes(key)
}

// hashString returns the position of key, or what a node's ID stands for.
func (c *config) hashString(key string) uint64 {
	if c.secret != nil {
		return hash64.SipString(c.secret, key)
	}
	return hash64.String(key)
}

// count returns how many tokens a weight asks for, as a float, so that absurd
// weights can be told before anything is allocated.
func (c *config) count(weight float64) float64 {
	return max(1, math.Round(weight*float64(c.virtual)))
}
