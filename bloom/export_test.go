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

// FoldedRate is the rate of f folded by d.
func FoldedRate(f *Filter, d uint64) float64 { return foldedRate(f.words, d, 1) }

var (
	BlockRate = blockRate
	BlockLoad = blockLoad
	BlocksFor = blocksFor
)
