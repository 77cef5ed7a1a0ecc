package quorum

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// scores keeps how fast each node has answered reads lately: moving averages,
// read and written without locks.
type scores struct {
	nodes sync.Map // name -> *atomic.Int64, nanoseconds
	count atomic.Int32
}

const (
	scoreWeight = 8           // a new answer counts an eighth, a half if it is much faster
	scoreLimit  = 1 << 14     // nodes; the score of others is unknown
	scoreFault  = time.Second // what a failure is taken for, at least
	badness     = 1.1         // by which a node must be slower to lose its place
)

func (s *scores) of(node string) *atomic.Int64 {
	if p, ok := s.nodes.Load(node); ok {
		return p.(*atomic.Int64)
	}
	if s.count.Load() >= scoreLimit {
		return new(atomic.Int64)
	}
	p, had := s.nodes.LoadOrStore(node, new(atomic.Int64))
	if !had {
		s.count.Add(1)
	}
	return p.(*atomic.Int64)
}

// add takes an answer into account. Two at once may count as one.
func (s *scores) add(node string, d time.Duration) {
	p := s.of(node)
	if old := time.Duration(p.Load()); d < old/2 {
		d = (d + old) / 2
	} else if old > 0 {
		d = old + (d-old)/scoreWeight
	}
	p.Store(int64(max(d, 1)))
}

// heard is what a read of an ordered coordinator learns from the end of a call.
// A call that was cut short took at least so long: without it the slow would be
// those of whom nothing is known.
func (f *call) heard(node string, latency time.Duration, err error) {
	s := f.c.shared
	switch {
	case err == nil:
		s.scores.add(node, latency)
	case f.Err() == nil:
		s.scores.add(node, max(latency, scoreFault))
	default:
		s.readTimes.add(latency)
		if latency > time.Duration(s.scores.of(node).Load()) {
			s.scores.add(node, latency)
		}
	}
}

// rank orders the owners: as in the preference list, unless that puts a node
// before a faster one by more than the badness; then by score. A node of whom
// nothing is known counts as fast. Now and then the others get a turn.
func (f *call) rank(s *shared, reads uint32) {
	var score [maxReplicas]int64
	for i := range f.n {
		score[i] = s.scores.of(f.slots[i].target.Owner).Load()
	}
	order := f.order
	slices.SortStableFunc(order, func(a, b uint8) int { return cmp.Compare(score[a], score[b]) })
	worse := false
	for place, best := range order {
		worse = worse || float64(score[place]) > badness*float64(score[best])
	}
	if !worse {
		slices.Sort(order)
	}
	if reads%probeEvery == 0 {
		turn := int(reads / probeEvery % uint32(f.n))
		first := order[turn]
		copy(order[1:turn+1], order)
		order[0] = first
	}
}
