package itc

// bitWriter appends bits, the first one highest in its byte.
type bitWriter struct {
	out  []byte
	free int // bits of the last byte that are not used
}

// bits appends the low n bits of v.
func (w *bitWriter) bits(v uint64, n int) {
	for n > 0 {
		if w.free == 0 {
			w.out = append(w.out, 0)
			w.free = 8
		}
		k := min(n, w.free)
		n -= k
		w.free -= k
		w.out[len(w.out)-1] |= byte(v>>n&(1<<k-1)) << w.free
	}
}

// number appends v in the code of the paper: numbers below 4 as 0 and two bits,
// the 8 after those as 10 and three bits, and so on.
func (w *bitWriter) number(v uint64) {
	size := 2
	for ; v >= 1<<size; size++ {
		v -= 1 << size
		w.bits(1, 1)
	}
	w.bits(0, 1)
	w.bits(v, size)
}

// bitReader reads what bitWriter wrote.
type bitReader struct {
	in   []byte
	used int  // bits of in
	bad  bool // whether more was asked for than there is, or what came is no code
}

// bits returns the next n bits, zeros at the end.
func (r *bitReader) bits(n int) (v uint64) {
	for ; n > 0; n-- {
		v <<= 1
		if i := r.used / 8; i < len(r.in) {
			v |= uint64(r.in[i]>>(7-r.used%8)) & 1
		} else {
			r.bad = true
		}
		r.used++
	}
	return v
}

// number returns the next number. One of more than 62 bits is none.
func (r *bitReader) number() (v uint64) {
	size := 2
	for r.bits(1) == 1 {
		v += 1 << size
		if size++; size > 62 {
			r.bad = true
			return 0
		}
	}
	return v + r.bits(size)
}
