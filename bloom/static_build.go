package bloom

import (
	"encoding/binary"
	"math/bits"
)

// peeling is the state of building. The keys are the edges of a hypergraph whose
// nodes are places; one that is the only edge of some node is peeled off, until
// none is left. In reverse order, every key then has a place of its own to make
// its three fingerprints add up.
type peeling struct {
	fuse
	degree []uint8  // of a place: edges times 4, and the xor of which of the three it is to them
	edges  []uint64 // xor of the edges of a place
	order  []uint64 // edges as they were peeled
	which  []uint8  // the place that was alone: first, second or third
}

// build returns the table, or false if the keys cannot be peeled with this seed.
func (f *fuse) build(keys []uint64) ([]byte, bool) {
	n := f.places()
	p := &peeling{
		fuse: *f, degree: make([]uint8, n), edges: make([]uint64, n),
		order: make([]uint64, len(keys)), which: make([]uint8, len(keys)),
	}
	if !p.count(keys) || !p.peel() {
		return nil, false
	}
	return p.assign(), true
}

// count adds all keys to their places, those of a part of the table after those
// of another, so that the processor's caches hold what it works on.
func (p *peeling) count(keys []uint64) bool {
	sorted := p.order // not used before peel
	shift := 64 - min(bits.Len64(p.segments), 16)
	starts := make([]int, 1<<(64-shift)+1)
	for _, k := range keys {
		starts[p.mixed(k)>>shift+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	for _, k := range keys {
		h := p.mixed(k)
		sorted[starts[h>>shift]] = h
		starts[h>>shift]++
	}
	overflow := uint8(0)
	for _, h := range sorted {
		i0, i1, i2 := p.at(h)
		p.degree[i0] += 4
		p.degree[i1] = p.degree[i1] + 4 ^ 1
		p.degree[i2] = p.degree[i2] + 4 ^ 2
		p.edges[i0] ^= h
		p.edges[i1] ^= h
		p.edges[i2] ^= h
		overflow |= below(p.degree[i0]) | below(p.degree[i1]) | below(p.degree[i2])
	}
	return overflow == 0
}

// below returns 1 for a degree that has just run over.
func below(degree uint8) uint8 { return (degree>>2 - 1) >> 7 }

// peel fills order and which. Places of one edge wait in a stack.
func (p *peeling) peel() bool {
	degree, edges := p.degree, p.edges
	alone := make([]uint64, 0, len(p.order))
	for i, d := range degree {
		if d>>2 == 1 {
			alone = append(alone, uint64(i))
		}
	}
	done := 0
	for len(alone) > 0 {
		i := alone[len(alone)-1]
		alone = alone[:len(alone)-1]
		if degree[i]>>2 != 1 {
			continue // its edge went with another place
		}
		h, which := edges[i], degree[i]&3
		p.order[done], p.which[done] = h, which
		done++
		degree[i] = 0
		i0, i1, i2 := p.at(h)
		places := [5]uint64{i0, i1, i2, i0, i1}
		for k := which + 1; k < which+3; k++ {
			j := places[k%5] // k < 5; the remainder tells the compiler
			d := degree[j] - 4 ^ k%3
			degree[j] = d
			edges[j] ^= h
			if d>>2 == 1 {
				alone = append(alone, j)
			}
		}
	}
	return done == len(p.order)
}

// assign sets, for every key, the place that was its own.
func (p *peeling) assign() []byte {
	table := make([]byte, p.bytes())
	for n := len(p.order) - 1; n >= 0; n-- {
		h := p.order[n]
		i0, i1, i2 := p.at(h)
		at := [4]uint64{i0, i1, i2}[p.which[n]&3] * p.width
		b := table[at>>3:]
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)|p.missing(table, h)<<(at&7))
	}
	return table
}
