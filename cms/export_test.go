package cms

import "fmt"

// Cells returns all counters, row after row.
func (s *Sketch) Cells() []uint64 {
	out := make([]uint64, s.width*s.depth)
	for i := range out {
		out[i] = s.at(uint64(i))
	}
	return out
}

// CheckSlots verifies index and heap.
func (t *TopK) CheckSlots() error { return t.check() }

// CheckSlots verifies index and heap.
func (t *Trending) CheckSlots() error { return t.check() }

// Counters returns the number of counters a row.
func (t *Trending) Counters() int { return int(t.width) }

// TailWide says whether the counters behind the slots have grown to 64 bits.
func (t *TopK) TailWide() bool { return t.tail.wide != nil }

// TailBytes is the memory of the counters behind the slots.
func (t *TopK) TailBytes() int { return 4*cap(t.tail.narrow) + 8*cap(t.tail.wide) }

func (s *slots[V]) check() error {
	linked := 0
	for _, n := range s.index {
		if n != 0 {
			linked++
		}
	}
	if linked != len(s.slots) || len(s.heap) != len(s.slots) || len(s.slots) > s.k {
		return fmt.Errorf("%d slots of %d, %d in the index, %d in the heap", len(s.slots), s.k, linked, len(s.heap))
	}
	inHeap := map[uint32]bool{}
	for i, e := range s.heap {
		t := &s.slots[e.slot]
		switch {
		case inHeap[e.slot] || e.hash != t.hash || e.count > t.count:
			return fmt.Errorf("heap entry %d is %v, slot is %v", i, e, *t)
		case i > 0 && e.less(&s.heap[(i-1)/2]):
			return fmt.Errorf("heap entry %d is less than its parent", i)
		}
		inHeap[e.slot] = true
	}
	for i := range s.slots {
		if s.find(s.slots[i].hash) != &s.slots[i] {
			return fmt.Errorf("slot %d is not found", i)
		}
	}
	return nil
}

// Exp2 is the power of two of weights.
func Exp2(f float64) float64 { return exp2(f) }
