package bloom

// NewBlocks returns a Filter of exactly z blocks.
func NewBlocks(z int, raw bool) *Filter {
	return &Filter{blocks: blocks{words: make([]uint64, z*blockWords), raw: raw}}
}

// Fold returns f folded by d.
func Fold(f *Filter, d uint64) *Filter {
	g := *f
	g.words = fold(f.words, d)
	return &g
}

func (f *Filter) Words() []uint64 { return f.words }

func (f *Filter) ContainsGo(h uint64) bool { return containsGo(&f.blocks, h) }

func (f *Filter) AddGo(h uint64) bool { return addGo(&f.blocks, h) }

// Fits says whether a filter of that many bytes may be made.
func Fits(bytes uint64) error { return new(keyed).fits(bytes) }

// FoldedRate is the rate of f folded by d.
func FoldedRate(f *Filter, d uint64) float64 { return foldedRate(f.words, d, 1) }

var (
	BlockRate = blockRate
	BlockLoad = blockLoad
	BlocksFor = blocksFor
)

// NewClassicBits returns a Classic of exactly m bits, k a key.
func NewClassicBits(m uint64, k int) *Classic {
	return &Classic{words: make([]uint64, (m+63)/64), m: m, k: k}
}

// SetPositions adds a key as if its hashes chose these positions, and
// HasPositions asks for it: worked examples have hashes of their own.
func (c *Classic) SetPositions(positions ...uint64) {
	for _, i := range positions {
		c.words[i/64] |= 1 << (i % 64)
	}
}

func (c *Classic) HasPositions(positions ...uint64) bool {
	for _, i := range positions {
		if c.words[i/64]>>(i%64)&1 == 0 {
			return false
		}
	}
	return true
}

func (c *Classic) Words() []uint64 { return c.words }

func (c *Counting) Words() []uint64 { return c.words }

var (
	ClassicSize = classicSize
	CloseRate   = closeRate
)

// Attempt reports whether keys are peeled at the first attempt with a seed.
func Attempt(keys []uint64, seed uint64) bool {
	f := fuseFor(uint64(len(keys)), 8, 0)
	f.seed = seed
	f = f.prepared()
	_, ok := f.build(keys)
	return ok
}
