package cms

import (
	"time"

	"github.com/distkit/distkit/internal/hash64"
)

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

// addPanes adds n to the newest pane of a key and returns its new estimate.
func addPanes[C counter](w *Window, cells []C, x, g uint64, n C) uint64 {
	var places [maxDepth]uint64
	width, panes, slot, newest := w.width, w.panes, w.slot, w.newest
	for i := range w.depth {
		place := i*width + hash64.Reduce(row(x, g, i), width)
		if w.current[place/neighborhood] != newest {
			clearOver(w, cells, place/neighborhood)
		}
		place *= panes
		places[i%maxDepth] = place
		c := &cells[place+slot]
		*c = plus(*c, n)
	}
	return sumOfLeast(cells, &places, w.depth, panes)
}

// sumOfLeast returns the sum over all panes of the smallest counter in each. Five
// rows, which a delta of 0.01 has, are taken at once.
func sumOfLeast[C counter](cells []C, places *[maxDepth]uint64, depth, panes uint64) (sum uint64) {
	if depth == 5 {
		r0 := cells[places[0]:][:panes]
		r1, r2 := cells[places[1]:][:len(r0)], cells[places[2]:][:len(r0)]
		r3, r4 := cells[places[3]:][:len(r0)], cells[places[4]:][:len(r0)]
		for p, least := range r0 {
			sum = plus(sum, uint64(min(least, r1[p], r2[p], r3[p], r4[p])))
		}
		return sum
	}
	for p := range panes {
		least := ^C(0)
		for i := range depth {
			least = min(least, cells[places[i%maxDepth]+p])
		}
		sum = plus(sum, uint64(least))
	}
	return sum
}

// countPanes returns the estimate of a key when so many of the oldest panes are
// over. It clears nothing, as others may read at the same time.
func countPanes[C counter](w *Window, cells []C, x, g, over uint64) (sum uint64) {
	var places [maxDepth]uint64
	width, depth, panes, current, newest := w.width, w.depth, w.panes, w.current, w.newest
	behind := uint64(0) // how many of the newest panes a row has nothing of
	for i := range depth {
		place := i*width + hash64.Reduce(row(x, g, i), width)
		behind = max(behind, uint64(newest)-uint64(current[place/neighborhood]))
		places[i%maxDepth] = place * panes
	}
	if behind == 0 && over == 0 {
		return sumOfLeast(cells, &places, depth, panes)
	}
	for age := behind; age+over < panes; age++ {
		slot, least := w.aged(age), ^C(0)
		for i := range depth {
			least = min(least, cells[places[i%maxDepth]+slot])
		}
		sum = plus(sum, uint64(least))
	}
	return sum
}
