package hash64

// Probe yields positions for one key by enhanced double hashing (Dillinger and
// Manolios 2004) on two full 64-bit words: the step grows by i*prime2, so that
// two keys whose progressions meet do not stay together, and no 32-bit half
// runs out of range near 2^32 positions.
type Probe struct{ h, step, i uint64 }

// Start returns the sequence of h, which must be mixed already.
func Start(h uint64) Probe { return Probe{h: h, step: Mix(h, prime3) | 1} }

// Next returns the next position in [0, n).
func (p *Probe) Next(n uint64) uint64 {
	x := Reduce(p.h, n)
	p.h += p.step
	p.i++
	p.step += p.i * prime2
	return x
}
