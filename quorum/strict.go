package quorum

// Strict reports whether every set of replicas that a read waits for meets
// every set that a write waits for, for whatever runs: r and w, levels, a
// system. Then a read sees the last completed write. With zone levels it is
// true only if they meet however the replicas of a call are spread over zones:
// a majority in each zone meets a majority in zone "a", but two of the zones
// and two of the zones need not. With stand-ins it is true only if
// [WithPrimaries] demands owners that meet, for what a stand-in took the owners
// do not know.
//
// Strict is less than linearizable; see the package comment.
func (c *Coordinator) Strict() bool {
	switch {
	case c == nil || c.shared == nil:
		return false
	case c.pr+c.pw > c.n:
		return true
	case c.standIns > 0:
		return false
	case c.system != nil:
		return true
	}
	return meet(c.n, c.read.level, c.write.level)
}

// meet reports whether a set of level a and one of level b have a replica in
// common in every spread of n replicas over zones. It looks for a spread in
// which both levels hold on disjoint sets.
func meet(n int, a, b Level) bool {
	if a.scope == everywhere && b.scope == everywhere {
		return a.share.of(n)+b.share.of(n) > n
	}
	if a.scope == everywhere {
		a, b = b, a
	}
	if a.scope == inZone && b.scope == inZone && a.zone != b.zone {
		return a.share.least()+b.share.least() > n
	}
	start := spread{left: n, a: a.wanted(), b: b.wanted()}
	if b.scope == everywhere {
		start.free = b.share.of(n)
	}
	s := search{a: a, b: b, dead: make(map[spread]bool)}
	return !s.zone(start, a.scope == inZone || b.scope == inZone)
}

// least is the fewest replicas that a share can be of, over all zone sizes.
func (s share) least() int {
	if s.kind == exactly {
		return s.k
	}
	return 1
}

// wanted is in how many zones the level must hold.
func (l Level) wanted() int {
	switch l.scope {
	case everywhere:
		return 0
	case someZones:
		return l.zones
	}
	return 1
}

// spread is what is left to place: replicas, zones in which a and b must still
// hold, and replicas that a level without zones still wants for itself.
type spread struct{ left, a, b, free int }

type search struct {
	a, b Level
	dead map[spread]bool // no way from here
}

// zone tries every size of the next zone and every choice of the levels that
// hold in it; named is the zone that an InZone level names, it comes first.
func (s *search) zone(at spread, named bool) bool {
	if at.left == 0 {
		return at.a <= 0 && at.b <= 0 && at.free <= 0
	}
	if s.dead[at] || max(at.a, at.b, at.free) > at.left {
		return false
	}
	for size := 1; size <= at.left; size++ {
		for _, holdsA := range s.a.choices(named) {
			for _, holdsB := range s.b.choices(named) {
				next, used := at, 0
				next.left -= size
				if holdsA {
					next.a--
					used += s.a.share.of(size)
				}
				if holdsB {
					next.b--
					used += s.b.share.of(size)
				}
				if used > size {
					continue
				}
				next.a, next.b = max(next.a, 0), max(next.b, 0)
				next.free = max(next.free-(size-used), 0)
				if s.zone(next, false) {
					return true
				}
			}
		}
	}
	if !named {
		s.dead[at] = true
	}
	return false
}

// choices says whether the level may, or must, hold in a zone.
func (l Level) choices(named bool) []bool {
	switch l.scope {
	case eachZone:
		return []bool{true}
	case someZones:
		return []bool{true, false}
	case inZone:
		return []bool{named}
	}
	return []bool{false}
}
