package cms

import (
	"math/bits"

	"github.com/distkit/distkit/internal/hash64"
)

// counter is one of the cells that hold counts. Additions saturate.
type counter interface{ uint32 | uint64 }

// spread remixes the hash of a key into the two words that [row] makes all rows of.
// The remix makes cells independent of whatever chose the keys that come here, a
// ring or a shard number made from the same hash.
func spread(h uint64) (x, g uint64) {
	x = hash64.Mix(h, hash64.SaltCMS)
	return x, stride(x)
}

// stride returns the odd distance of a key's rows, a bijection's low bit set.
func stride(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return (x ^ x>>32) | 1
}

// row returns the word whose high bits choose a key's cell in row i. Without the
// rotation this is double hashing, x + i*g, which keeps the mean of independent
// rows (Kirsch and Mitzenmacher 2008) but not the tail: two keys that are close in
// x and in g meet in all rows at once, one pair in some 4w^2. In 5 rows of 272 cells
// 16 keys in a million then have the count of one of the hottest keys; with the
// rotation 0.1 have, as with a hash for each row.
func row(x, g, i uint64) uint64 { return bits.RotateLeft64(x, int(13*i)) + i*g }

// plus adds without ever wrapping; the compiler makes no branch of it.
func plus[C counter](a, b C) C {
	s := a + b
	if s < a {
		s = ^C(0)
	}
	return s
}

// narrowed returns n as a count that C can hold.
func narrowed[C counter](n uint64) C { return C(min(n, uint64(^C(0)))) }

// Four or five rows, which deltas of 0.02 and 0.01 have, are taken at once, so that
// their cache misses overlap and no loop stands between them. With a loop and an if
// for the minimum an addition takes several times as long.

// place returns where a key's cell in row i is, of rows of w cells one after the other.
func place(w, i, x, g uint64) uint64 { return i*w + hash64.Reduce(row(x, g, i), w) }

// cell returns a key's cell in row i. It is small enough to be inlined.
func cell[C counter](cells []C, w, i, x, g uint64) *C { return &cells[place(w, i, x, g)] }

// lowest returns the smallest of a key's cells, its estimate.
func lowest[C counter](cells []C, w, depth, x, g uint64) C {
	switch depth {
	case 4:
		return min(*cell(cells, w, 0, x, g), *cell(cells, w, 1, x, g), *cell(cells, w, 2, x, g), *cell(cells, w, 3, x, g))
	case 5:
		return min(*cell(cells, w, 0, x, g), *cell(cells, w, 1, x, g), *cell(cells, w, 2, x, g), *cell(cells, w, 3, x, g), *cell(cells, w, 4, x, g))
	}
	m := ^C(0)
	for i := range depth {
		m = min(m, *cell(cells, w, i, x, g))
	}
	return m
}

// addAll adds n to all cells of a key and returns the new estimate. Of sums that
// wrap, the smallest is less than n, so that asking once will do.
func addAll[C counter](cells []C, w, depth, x, g uint64, n C) C {
	switch depth {
	case 4:
		c0, c1, c2, c3 := cell(cells, w, 0, x, g), cell(cells, w, 1, x, g), cell(cells, w, 2, x, g), cell(cells, w, 3, x, g)
		v0, v1, v2, v3 := *c0+n, *c1+n, *c2+n, *c3+n
		if m := min(v0, v1, v2, v3); m >= n {
			*c0, *c1, *c2, *c3 = v0, v1, v2, v3
			return m
		}
	case 5:
		c0, c1, c2, c3, c4 := cell(cells, w, 0, x, g), cell(cells, w, 1, x, g), cell(cells, w, 2, x, g), cell(cells, w, 3, x, g), cell(cells, w, 4, x, g)
		v0, v1, v2, v3, v4 := *c0+n, *c1+n, *c2+n, *c3+n, *c4+n
		if m := min(v0, v1, v2, v3, v4); m >= n {
			*c0, *c1, *c2, *c3, *c4 = v0, v1, v2, v3, v4
			return m
		}
	}
	m := ^C(0)
	for i := range depth {
		c := cell(cells, w, i, x, g)
		*c = plus(*c, n)
		m = min(m, *c)
	}
	return m
}

// addLow is the conservative update (Estan and Varghese 2002): no cell has to be
// more than the smallest one and n. It stores what it does not raise, too: that
// is cheaper than a branch.
func addLow[C counter](cells []C, w, depth, x, g uint64, n C) C {
	switch depth {
	case 4:
		c0, c1, c2, c3 := cell(cells, w, 0, x, g), cell(cells, w, 1, x, g), cell(cells, w, 2, x, g), cell(cells, w, 3, x, g)
		v0, v1, v2, v3 := *c0, *c1, *c2, *c3
		m := plus(min(v0, v1, v2, v3), n)
		*c0, *c1, *c2, *c3 = max(v0, m), max(v1, m), max(v2, m), max(v3, m)
		return m
	case 5:
		c0, c1, c2, c3, c4 := cell(cells, w, 0, x, g), cell(cells, w, 1, x, g), cell(cells, w, 2, x, g), cell(cells, w, 3, x, g), cell(cells, w, 4, x, g)
		v0, v1, v2, v3, v4 := *c0, *c1, *c2, *c3, *c4
		m := plus(min(v0, v1, v2, v3, v4), n)
		*c0, *c1, *c2, *c3, *c4 = max(v0, m), max(v1, m), max(v2, m), max(v3, m), max(v4, m)
		return m
	}
	m := plus(lowest(cells, w, depth, x, g), n)
	raise(cells, w, depth, x, g, m)
	return m
}

// raise lifts all cells of a key to at least v.
func raise[C counter](cells []C, w, depth, x, g uint64, v C) {
	if depth == 4 {
		c0, c1, c2, c3 := cell(cells, w, 0, x, g), cell(cells, w, 1, x, g), cell(cells, w, 2, x, g), cell(cells, w, 3, x, g)
		*c0, *c1, *c2, *c3 = max(*c0, v), max(*c1, v), max(*c2, v), max(*c3, v)
		return
	}
	for i := range depth {
		c := cell(cells, w, i, x, g)
		*c = max(*c, v)
	}
}
