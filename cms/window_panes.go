package cms

import "time"

// clock says which pane is the newest. Panes are numbered since the Unix epoch;
// pane p has the slot p mod panes.
type clock struct {
	span   int64 // of a pane, in nanoseconds
	begun  bool  // something was added
	newest int64
	start  int64  // of newest, in Unix nanoseconds
	slot   uint64 // of newest
}

// paneSpan returns the width of a pane. All panes but the newest cover d.
func paneSpan(d time.Duration, panes uint64) int64 { return int64(d-1)/int64(panes-1) + 1 }

// passed returns how many panes began after newest, until at. A time before the
// newest pane is taken for one in it.
func (c *clock) passed(at int64) uint64 {
	if !c.begun || uint64(at-c.start) < uint64(c.span) {
		return 0
	}
	if pane, _ := floorDiv(at, c.span); pane > c.newest {
		return uint64(pane) - uint64(c.newest)
	}
	return 0
}

// over returns how many of the panes are over at a time.
func (w *Window) over(at int64) uint64 { return min(w.passed(at), w.panes) }

// turn makes the pane of a time the newest, unless it is older.
func (w *Window) turn(at int64) {
	if n := w.passed(at); n > 0 || !w.begun {
		pane, _ := floorDiv(at, w.span)
		w.begin(pane)
	}
}

// begin makes a pane that is not older the newest. Only the totals of panes that
// are over are cleared at once; counters are when their neighborhood is next used.
func (w *Window) begin(pane int64) {
	over := w.panes
	if w.begun {
		over = min(uint64(pane)-uint64(w.newest), w.panes)
	}
	w.set(pane)
	for age := range over {
		w.totals[w.aged(age)] = 0
	}
}

// set makes a pane the newest. The first one finds nothing to clear.
func (w *Window) set(pane int64) {
	if !w.begun {
		for i := range w.current {
			w.current[i] = pane
		}
	}
	_, slot := floorDiv(pane, int64(w.panes))
	w.clock = clock{w.span, true, pane, pane * w.span, uint64(slot)}
}

// aged returns the slot of the pane that is age panes older than the newest.
func (w *Window) aged(age uint64) uint64 {
	if age <= w.slot {
		return w.slot - age
	}
	return w.slot + w.panes - age
}

// clearOver clears what is over in a neighborhood.
func clearOver[C counter](w *Window, cells []C, i uint64) {
	part := cells[i*neighborhood*w.panes:]
	part = part[:min(neighborhood*w.panes, uint64(len(part)))]
	over := uint64(w.newest) - uint64(w.current[i])
	w.current[i] = w.newest
	if over >= w.panes {
		clear(part)
		return
	}
	for age := range over {
		for j := w.aged(age); j < uint64(len(part)); j += w.panes {
			part[j] = 0
		}
	}
}

// place returns where a key's panes are in row i, in units of all panes.
func (w *Window) place(x, g, i uint64) uint64 {
	return place(w.width, i, x, g)
}

// fresh says whether nothing is over near a place, or it was cleared.
func (w *Window) fresh(place uint64) bool { return w.current[place/neighborhood] == w.newest }

// addPanes adds n to the newest pane of a key and returns its new estimate.
func addPanes[C counter](w *Window, cells []C, x, g uint64, n C) uint64 {
	if w.depth == 5 {
		return addFive(w, cells, w.place(x, g, 0), w.place(x, g, 1), w.place(x, g, 2), w.place(x, g, 3), w.place(x, g, 4), n)
	}
	var places [maxDepth]uint64
	for i := range w.depth {
		p := w.place(x, g, i)
		if !w.fresh(p) {
			clearOver(w, cells, p/neighborhood)
		}
		places[i%maxDepth] = p * w.panes
		c := &cells[p*w.panes+w.slot]
		*c = plus(*c, n)
	}
	return sumOfLeast(w, cells, &places, 0, w.panes)
}

// addFive is addPanes for the five places of a key, which a delta of 0.01 has.
func addFive[C counter](w *Window, cells []C, p0, p1, p2, p3, p4 uint64, n C) uint64 {
	if !w.fresh(p0) || !w.fresh(p1) || !w.fresh(p2) || !w.fresh(p3) || !w.fresh(p4) {
		for _, p := range [...]uint64{p0, p1, p2, p3, p4} {
			clearOver(w, cells, p/neighborhood)
		}
	}
	panes, slot := w.panes, w.slot
	c0, c1, c2, c3, c4 := &cells[p0*panes+slot], &cells[p1*panes+slot], &cells[p2*panes+slot], &cells[p3*panes+slot], &cells[p4*panes+slot]
	*c0, *c1, *c2, *c3, *c4 = plus(*c0, n), plus(*c1, n), plus(*c2, n), plus(*c3, n), plus(*c4, n)
	return sumOfFive(cells, panes, p0, p1, p2, p3, p4)
}

// sumOfFive returns the sum over all panes of the smallest counter in each of five
// places.
func sumOfFive[C counter](cells []C, panes, p0, p1, p2, p3, p4 uint64) (sum uint64) {
	r0, r1, r2, r3, r4 := cells[p0*panes:][:panes], cells[p1*panes:][:panes], cells[p2*panes:][:panes], cells[p3*panes:][:panes], cells[p4*panes:][:panes]
	for p, least := range r0 {
		sum = plus(sum, uint64(min(least, r1[p], r2[p], r3[p], r4[p])))
	}
	return sum
}

// sumOfLeast returns the sum of the smallest counters in each of the panes of an age
// of from to to.
func sumOfLeast[C counter](w *Window, cells []C, places *[maxDepth]uint64, from, to uint64) (sum uint64) {
	for age := from; age < to; age++ {
		slot, least := w.aged(age), ^C(0)
		for i := range w.depth {
			least = min(least, cells[places[i%maxDepth]+slot])
		}
		sum = plus(sum, uint64(least))
	}
	return sum
}

// countPanes returns the estimate of a key when so many of the oldest panes are
// over. It clears nothing, as others may read at the same time.
func countPanes[C counter](w *Window, cells []C, x, g, over uint64) uint64 {
	if w.depth == 5 && over == 0 {
		p0, p1, p2, p3, p4 := w.place(x, g, 0), w.place(x, g, 1), w.place(x, g, 2), w.place(x, g, 3), w.place(x, g, 4)
		if w.fresh(p0) && w.fresh(p1) && w.fresh(p2) && w.fresh(p3) && w.fresh(p4) {
			return sumOfFive(cells, w.panes, p0, p1, p2, p3, p4)
		}
	}
	var places [maxDepth]uint64
	behind := uint64(0) // how many of the newest panes a row has nothing of
	for i := range w.depth {
		p := w.place(x, g, i)
		behind = max(behind, uint64(w.newest)-uint64(w.current[p/neighborhood]))
		places[i%maxDepth] = p * w.panes
	}
	return sumOfLeast(w, cells, &places, behind, w.panes-over)
}
