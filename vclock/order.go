package vclock

// Ordering is how one clock, and so one event or version, stands to another.
type Ordering int8

// The four answers of Compare.
const (
	Equal      Ordering = iota // both have seen the same
	Before                     // the other has seen all of it, and more
	After                      // it has seen all of the other, and more
	Concurrent                 // each has seen what the other has not
)

// String returns "equal", "before", "after" or "concurrent".
func (o Ordering) String() string {
	switch o {
	case Equal:
		return "equal"
	case Before:
		return "before"
	case After:
		return "after"
	case Concurrent:
		return "concurrent"
	}
	return "invalid"
}

// Compare says how c stands to o: c is Before o when no counter of c is larger
// than that of o and one is smaller; an absent counter is zero. Equal clocks
// cost one comparison of strings, and the walk ends where both sides are known
// to be ahead. It allocates nothing.
func (c Clock) Compare(o Clock) Ordering {
	if c.enc == o.enc {
		return Equal
	}
	switch r := relate(c.enc, o.enc, false); {
	case r.less && r.more:
		return Concurrent
	case r.less:
		return Before
	}
	return After
}

// Descends reports whether c has seen everything that o has: whether c is After
// o or Equal to it. A value with context c may replace one with context o.
func (c Clock) Descends(o Clock) bool {
	return c.enc == o.enc || !relate(c.enc, o.enc, false).less
}

// Merge returns the clock that has seen all that c or o has: the larger of each
// pair of counters, the least upper bound. When one of the two descends from
// the other it is the result and nothing is allocated.
func (c Clock) Merge(o Clock) Clock { return c.bound(o, true) }

// Meet returns the clock of what both c and o have seen: the smaller of each
// pair of counters, the greatest lower bound. The Meet of all replicas' clocks
// is what is stable: it is known everywhere. When one of the two descends from
// the other, the other is the result and nothing is allocated.
func (c Clock) Meet(o Clock) Clock { return c.bound(o, false) }

// bound returns the join of c and o, or their meet.
func (c Clock) bound(o Clock, join bool) Clock {
	if c.enc == o.enc {
		return c
	}
	switch r := relate(c.enc, o.enc, true); {
	case r.less && r.more:
		return combine(c.enc, o.enc, r, join)
	case r.less == join:
		return o
	}
	return c
}

// relation is how the clock a stands to the clock b.
type relation struct {
	less, more bool // whether a counter of a is less than that of b, or more
	join       int  // length of the join
	i, j       int  // where the first entry of a that is less starts, and that of b
	ei, ej     int  // where the last such entries end
}

// relate compares a and b. Unless all is asked for it returns as soon as it knows
// that they are concurrent.
func relate(a, b string, all bool) (r relation) {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		na, nb, ea, eb := step(a, b, i, j)
		if na < nb {
			r.isLess(i, j, ea, eb)
			r.join += eb - j
		} else {
			r.more = r.more || na > nb
			r.join += ea - i
		}
		if r.less && r.more && !all {
			return r
		}
		i, j = ea, eb
	}
	if j < len(b) {
		r.isLess(i, j, i, len(b))
	}
	r.more = r.more || i < len(a)
	r.join += len(a) - i + len(b) - j
	return r
}

func (r *relation) isLess(i, j, ei, ej int) {
	if !r.less {
		r.less, r.i, r.j = true, i, j
	}
	r.ei, r.ej = ei, ej
}

// combine returns the join of a and b, which are concurrent, or their meet. Where
// no entry of a is less, before the first and after the last, the join is a and
// the meet is b. In between it copies as much at once as comes from one side;
// equal entries come from whichever is at hand.
func combine(a, b string, r relation, join bool) Clock {
	size := r.join
	if !join { // each entry of either side is in one of join and meet
		size = len(a) + len(b) - r.join
	}
	out, k := make([]byte, size), 0
	fromB, start := join, r.i // what is to be copied next, and from where on
	if join {
		k = copy(out, a[:r.i])
		start = r.j
	} else {
		k = copy(out, b[:r.j])
	}
	i, j := r.i, r.j
	for i < r.ei && j < r.ej {
		na, nb, ea, eb := step(a, b, i, j)
		switch wantB := (na < nb) == join; {
		case na == nb || wantB == fromB:
		case wantB:
			k += copy(out[k:], a[start:i])
			fromB, start = true, j
		default:
			k += copy(out[k:], b[start:j])
			fromB, start = false, i
		}
		i, j = ea, eb
	}
	if fromB {
		k += copy(out[k:], b[start:j])
	} else {
		k += copy(out[k:], a[start:i])
	}
	if join {
		k += copy(out[k:], b[j:r.ej])
		copy(out[k:], a[r.ei:])
	} else {
		copy(out[k:], b[r.ej:])
	}
	return seal(out)
}
