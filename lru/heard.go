package lru

import "sync/atomic"

// heard is where Gets that take no lock leave the places of what they hit, for whoever
// takes the lock next to tell the models of Adaptive: of the keys in the sample only.
// What comes when it is full is lost, and where two come at once, one of them may be:
// then there are many hits for each miss, or many for the models.
type heard struct {
	mask   atomic.Uint32 // the bits of a place that are 0 in the sample
	_      [124]byte     // which is read at every hit
	count  atomic.Uint32
	places [mostHeard]atomic.Uint64 // 0, or isHeard and a place
}

const (
	mostHeard = 64
	isHeard   = 1 << 32
)

// wants says whether the models see the keys of that place.
func (h *heard) wants(place uint32) bool { return place&h.mask.Load() == 0 }

func (h *heard) add(place uint32) {
	if n := h.count.Load(); n < mostHeard && h.count.CompareAndSwap(n, n+1) {
		h.places[n].Store(isHeard | uint64(place))
	}
}

// each takes out what is there.
func (h *heard) each(f func(place uint32)) {
	n := h.count.Load()
	if n == 0 {
		return
	}
	for k := range h.places[:n] {
		if p := h.places[k].Swap(0); p != 0 {
			f(uint32(p))
		}
	}
	h.count.Store(0)
}
