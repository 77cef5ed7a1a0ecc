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
	less, more := false, false
	for w := (walk{a: c.enc, b: o.enc}); w.next(); {
		less = less || w.na < w.nb
		more = more || w.na > w.nb
		if less && more {
			return Concurrent
		}
	}
	if less {
		return Before
	}
	return After
}

// Descends reports whether c has seen everything that o has: whether c is After
// o or Equal to it. A value with context c may replace one with context o.
func (c Clock) Descends(o Clock) bool {
	if c.enc == o.enc {
		return true
	}
	for w := (walk{a: c.enc, b: o.enc}); w.next(); {
		if w.na < w.nb {
			return false
		}
	}
	return true
}

// Merge returns the clock that has seen all that c or o has: the larger of each
// pair of counters, the least upper bound. When one of the two descends from
// the other it is the result and nothing is allocated.
func (c Clock) Merge(o Clock) Clock {
	if c.enc == o.enc {
		return c
	}
	size, less, more := 0, false, false
	for w := (walk{a: c.enc, b: o.enc}); w.next(); {
		if w.na < w.nb {
			less = true
			size += w.j - w.y
		} else {
			more = more || w.na > w.nb
			size += w.i - w.x
		}
	}
	switch {
	case !less:
		return c
	case !more:
		return o
	}
	b := make([]byte, 0, size)
	for w := (walk{a: c.enc, b: o.enc}); w.next(); {
		if w.na < w.nb {
			b = append(b, w.b[w.y:w.j]...)
		} else {
			b = append(b, w.a[w.x:w.i]...)
		}
	}
	return seal(b)
}

// Meet returns the clock of what both c and o have seen: the smaller of each
// pair of counters, the greatest lower bound. The Meet of all replicas' clocks
// is what is stable: it is known everywhere. When one of the two descends from
// the other, the other is the result and nothing is allocated.
func (c Clock) Meet(o Clock) Clock {
	if c.enc == o.enc {
		return c
	}
	size, less, more := 0, false, false
	for w := (walk{a: c.enc, b: o.enc}); w.next(); {
		less = less || w.na < w.nb
		more = more || w.na > w.nb
		size += w.lesser()
	}
	switch {
	case !more:
		return c
	case !less:
		return o
	case size == 0:
		return Clock{}
	}
	b := make([]byte, 0, size)
	for w := (walk{a: c.enc, b: o.enc}); w.next(); {
		switch {
		case w.lesser() == 0:
		case w.na < w.nb:
			b = append(b, w.a[w.x:w.i]...)
		default:
			b = append(b, w.b[w.y:w.j]...)
		}
	}
	return seal(b)
}

// lesser is the length of the entry with the smaller counter: 0 when the id is
// absent on one side.
func (w *walk) lesser() int {
	if w.na < w.nb {
		return w.i - w.x
	}
	return w.j - w.y
}
