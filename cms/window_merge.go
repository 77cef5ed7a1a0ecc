package cms

import (
	"slices"

	"github.com/distkit/distkit/internal/codec"
)

// Merge adds the counts of other, which must have the same size, window, number of
// panes, kind of counters and secret, else the error is ErrIncompatible and w is as
// it was. The result is what one window of both streams would be; what is over by
// the newest pane of either is gone.
func (w *Window) Merge(other *Window) error {
	if w.width == 0 {
		panic("cms: Merge into a zero Window, make one with NewWindow")
	}
	switch {
	case other == nil || other.width == 0:
		return codec.Incompatible("cms", "merge with a zero Window")
	case w.window != other.window || w.panes != other.panes:
		return codec.Incompatible("cms", "merge of windows of %v in %d panes and of %v in %d", w.window, w.panes, other.window, other.panes)
	case w.width != other.width || w.depth != other.depth:
		return codec.Incompatible("cms", "merge of %d rows of %d counters and %d of %d", w.depth, w.width, other.depth, other.width)
	case (w.wide != nil) != (other.wide != nil):
		return codec.Incompatible("cms", "merge of counters of 32 and of 64 bits")
	case !w.sameSecret(&other.keyed):
		return codec.Incompatible("cms", "merge of windows with different secrets")
	case !other.begun:
		return nil
	}
	if !w.begun || w.newest < other.newest {
		w.begin(other.newest)
	}
	if other.newest < w.newest {
		other = other.Clone()
		other.begin(w.newest)
	}
	other = other.settled()
	w.settle()
	addCells(w.narrow, other.narrow)
	addCells(w.wide, other.wide)
	addCells(w.totals, other.totals)
	return nil
}

// settle clears everything that is over.
func (w *Window) settle() {
	for i, pane := range w.current {
		switch {
		case pane == w.newest:
		case w.wide != nil:
			clearOver(w, w.wide, uint64(i))
		default:
			clearOver(w, w.narrow, uint64(i))
		}
	}
}

// settled returns w with everything that is over cleared, in a copy if need be.
func (w *Window) settled() *Window {
	if !slices.ContainsFunc(w.current, func(pane int64) bool { return pane != w.newest }) {
		return w
	}
	c := w.Clone()
	c.settle()
	return c
}

// Equal reports whether w and other have the same size, window, panes, kind, secret
// and counts, as of their newest additions.
func (w *Window) Equal(other *Window) bool {
	if other == nil || w.width != other.width || w.depth != other.depth || w.panes != other.panes || w.window != other.window ||
		(w.wide != nil) != (other.wide != nil) || w.clock != other.clock || !w.sameSecret(&other.keyed) || !slices.Equal(w.totals, other.totals) {
		return false
	}
	a, b := w.settled(), other.settled()
	return slices.Equal(a.narrow, b.narrow) && slices.Equal(a.wide, b.wide)
}
