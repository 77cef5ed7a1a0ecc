package lru_test

import (
	"math/rand/v2"
	"slices"

	"github.com/distkit/distkit/internal/tinylfu"
)

// adaptiveSim is Adaptive in slices. It shares with the cache what counts uses and,
// so that the counts are the same, where a key's are.
type adaptiveSim[K comparable] struct {
	weighted                     bool
	place                        func(K) uint64
	capacity, target             uint64
	window, probation, protected []K // oldest first
	weights                      map[K]uint64
	ghost                        []lostKey[K] // oldest first
	returned                     uint64

	rng    *rand.Rand
	sketch *tinylfu.Sketch
	sized  int
}

type lostKey[K comparable] struct {
	key      K
	fromMain bool
}

// follow makes the numbers that are drawn at random the same in both.
func follow[K comparable, V any](slow *twin[K, V], c cache[K, V]) {
	c.Fix(randomSeed)
	if s, ok := slow.sim.(*adaptiveSim[K]); ok {
		s.rng = rand.New(rand.NewPCG(randomSeed, 0))
		s.place = func(k K) uint64 { return c.Place(k) }
		s.clear()
	}
}

func (s *adaptiveSim[K]) resize(capacity uint64) {
	if s.capacity > 0 {
		s.target = s.target * capacity / s.capacity
	}
	s.capacity = capacity
	s.aim(int(s.target))
	if s.sketch != nil && s.sized > max(8, int(capacity)) {
		s.sized = max(8, int(capacity))
		s.sketch.Resize(s.sized)
	}
	s.trim()
}

func (s *adaptiveSim[K]) clear() {
	s.window, s.probation, s.protected, s.ghost = nil, nil, nil, nil
	s.weights = map[K]uint64{}
	s.sketch, s.sized = tinylfu.New(8, s.rng.Uint64()), 8
	s.aim(0)
}

// aim bounds the window by a hundredth and by nine tenths of the capacity.
func (s *adaptiveSim[K]) aim(target int) {
	least := max(1, int(s.capacity)/100)
	most := max(least, int(s.capacity)-int(s.capacity)/10-1)
	s.target = uint64(min(max(target, least), most))
}

func (s *adaptiveSim[K]) order() []K { return slices.Concat(s.window, s.probation, s.protected) }

func (s *adaptiveSim[K]) count() int        { return len(s.window) + len(s.probation) + len(s.protected) }
func (s *adaptiveSim[K]) ghostHits() uint64 { return s.returned }

func (s *adaptiveSim[K]) weigh(lists ...[]K) (sum uint64) {
	for _, k := range slices.Concat(lists...) {
		sum += s.weights[k]
	}
	return sum
}

func (s *adaptiveSim[K]) miss(k K) {
	s.sketch.Touch(s.place(k))
	at := slices.IndexFunc(s.ghost, func(g lostKey[K]) bool { return g.key == k })
	if at < 0 {
		return
	}
	s.returned++
	lost := map[bool]int{}
	for _, g := range s.ghost {
		lost[g.fromMain]++
	}
	from := s.ghost[at].fromMain
	step := max(1, lost[!from]/lost[from]) * max(1, int(s.weigh(s.order()))/max(1, s.count()))
	if from {
		step = -step
	}
	s.aim(int(s.target) + step)
	s.ghost = slices.Delete(s.ghost, at, at+1)
}

func (s *adaptiveSim[K]) insert(k K, w uint64) {
	s.weights[k] = w
	s.window = append(s.window, k)
	if n := s.count(); n > s.sized {
		s.sized = max(8, min(2*s.sized, int(s.capacity)))
		s.sketch.Resize(s.sized)
	}
	for s.weigh(s.window) > s.target && s.window[0] != k {
		s.probation = append(s.probation, s.window[0])
		s.window = s.window[1:]
	}
}

func (s *adaptiveSim[K]) hit(k K) {
	s.sketch.Touch(s.place(k))
	switch {
	case slices.Contains(s.window, k):
		s.window = append(without(s.window, k), k)
		return
	case slices.Contains(s.protected, k):
		s.protected = append(without(s.protected, k), k)
		return
	}
	s.probation = without(s.probation, k)
	s.protected = append(s.protected, k)
	for s.weigh(s.protected) > (s.capacity-s.target)/5*4 && s.protected[0] != k {
		s.probation = append(s.probation, s.protected[0])
		s.protected = s.protected[1:]
	}
}

func (s *adaptiveSim[K]) set(k K)               { s.hit(k) }
func (s *adaptiveSim[K]) reweigh(k K, w uint64) { s.weights[k] = w }

func (s *adaptiveSim[K]) remove(k K) {
	s.window, s.probation, s.protected = without(s.window, k), without(s.probation, k), without(s.protected, k)
}

func (s *adaptiveSim[K]) evict(keep *K) K {
	for {
		candidate, fresh := first(s.window, keep)
		victim, old := first(slices.Concat(s.probation, s.protected), keep)
		if !old {
			return s.lose(candidate, false)
		}
		if !fresh || s.weigh(s.window) < s.target {
			return s.lose(victim, true)
		}
		full := s.weigh(s.probation, s.protected) >= s.capacity-s.target
		if full && !s.admits(candidate, victim) {
			return s.lose(candidate, false)
		}
		s.window = without(s.window, candidate)
		s.probation = append(s.probation, candidate)
		if full {
			return s.lose(victim, true)
		}
	}
}

func (s *adaptiveSim[K]) admits(candidate, victim K) bool {
	uses, others := s.sketch.Estimate(s.place(candidate)), s.sketch.Estimate(s.place(victim))
	return uses > others || uses >= 6 && s.rng.Uint64N(128) == 0
}

func (s *adaptiveSim[K]) lose(k K, fromMain bool) K {
	s.ghost = append(s.ghost, lostKey[K]{k, fromMain})
	s.remove(k)
	s.trim()
	return k
}

// trim bounds the ghost by half of what there is room for or, as weights say
// nothing of numbers, by half the number of entries.
func (s *adaptiveSim[K]) trim() {
	limit := max(1, int(s.capacity/2))
	if s.weighted {
		limit = max(1, s.count()/2)
	}
	if over := len(s.ghost) - limit; over > 0 {
		s.ghost = s.ghost[over:]
	}
}
