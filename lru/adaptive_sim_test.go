package lru_test

import (
	"math/rand/v2"
	"slices"

	"github.com/distkit/distkit/internal/tinylfu"
)

// mannerSim says how large the window is, in hundredths, up to what the uses of a
// victim count, and how many more it takes to displace it.
type mannerSim struct{ window, most, lead int }

var (
	recent   = mannerSim{window: 100}
	frequent = mannerSim{1, 15, 2}
	twice    = mannerSim{25, 1, 1}
)

// segmentSim is W-TinyLFU in slices, oldest first.
type segmentSim[K comparable] struct {
	manner                       mannerSim
	capacity                     int
	window, probation, protected []K
	weights                      map[K]int
	uses                         func(K) int
}

func (s *segmentSim[K]) order() []K { return slices.Concat(s.window, s.probation, s.protected) }
func (s *segmentSim[K]) part() int  { return max(1, s.capacity*s.manner.window/100) }

func (s *segmentSim[K]) weigh(lists ...[]K) (sum int) {
	for _, list := range lists {
		for _, k := range list {
			sum += s.weights[k]
		}
	}
	return sum
}

func (s *segmentSim[K]) has(k K) bool {
	return slices.Contains(s.window, k) || slices.Contains(s.probation, k) || slices.Contains(s.protected, k)
}

func (s *segmentSim[K]) remove(k K) {
	s.window, s.probation, s.protected = without(s.window, k), without(s.probation, k), without(s.protected, k)
}

// demote moves what is too much in a list to probation, 16 entries at most.
func (s *segmentSim[K]) demote(list *[]K, k K, most int) {
	for n, held := 0, s.weigh(*list); n < 16 && held > most && (*list)[0] != k; n++ {
		held -= s.weights[(*list)[0]]
		s.probation = append(s.probation, (*list)[0])
		*list = (*list)[1:]
	}
}

func (s *segmentSim[K]) insert(k K, w int) {
	s.weights[k] = w
	s.window = append(s.window, k)
	s.demote(&s.window, k, s.part())
}

func (s *segmentSim[K]) hit(k K) {
	inWindow, inProtected := slices.Contains(s.window, k), slices.Contains(s.protected, k)
	if inWindow || s.weigh(s.window) < s.part() {
		s.remove(k)
		s.window = append(s.window, k)
		return
	}
	s.remove(k)
	s.protected = append(s.protected, k)
	if !inProtected {
		s.demote(&s.protected, k, (s.capacity-s.part())/5*4)
	}
}

func (s *segmentSim[K]) evict(keep *K) (out K) {
	for moved := 0; ; moved++ {
		candidate, fresh := first(s.window, keep)
		victim, old := first(s.probation, keep)
		if !old {
			victim, old = first(s.protected, keep)
		}
		switch {
		case !old:
			out = candidate
		case !fresh || s.weigh(s.window) < s.part():
			out = victim
		case moved < 16 && s.weigh(s.window) > s.part():
			s.remove(candidate)
			s.probation = append(s.probation, candidate)
			continue
		case s.uses(candidate) < min(s.uses(victim), s.manner.most)+s.manner.lead:
			out = candidate
		default:
			s.remove(candidate)
			s.probation = append(s.probation, candidate)
			out = victim
		}
		s.remove(out)
		return out
	}
}

// ask is what a model does with a key.
func (s *segmentSim[K]) ask(k K) (had bool) {
	if s.has(k) {
		s.hit(k)
		return true
	}
	if len(s.window)+len(s.probation)+len(s.protected) == s.capacity {
		s.evict(nil)
	}
	s.insert(k, 1)
	return false
}

// resize gives a model its size.
func (s *segmentSim[K]) resize(capacity int) {
	for s.capacity = capacity; len(s.order()) > capacity; {
		s.evict(nil)
	}
}

// adaptiveSim is Adaptive. It shares with the cache what counts uses and, so that the
// counts are the same, what identifies a key there.
type adaptiveSim[K comparable] struct {
	segmentSim[K]
	weighted bool
	place    func(K) uint64
	models   [3]*segmentSim[K]
	sizes    [4]*segmentSim[K] // a quarter and half as large, twice and four times
	gains    [3]int
	mode     int
	room     int // for entries
	shift    int
	returned uint64
	sampleOf uint64
	hits     [5]uint64 // of that, by size

	rng    *rand.Rand
	sketch *tinylfu.Sketch
	sized  int
}

// follow makes the numbers that are drawn at random the same in both.
func follow[K comparable, V any](slow *twin[K, V], c cache[K, V]) {
	c.Fix(randomSeed)
	if s, ok := slow.sim.(*adaptiveSim[K]); ok {
		s.rng = rand.New(rand.NewPCG(randomSeed, 0))
		s.place = c.Place
		s.clear()
	}
}

func (s *adaptiveSim[K]) clear() {
	s.sketch, s.sized = tinylfu.New(256, s.rng.Uint64()), 256
	s.uses = func(k K) int { return int(s.sketch.Estimate(s.place(k))) }
	s.window, s.probation, s.protected, s.weights = nil, nil, nil, map[K]int{}
	model := func(m mannerSim) *segmentSim[K] {
		return &segmentSim[K]{manner: m, uses: s.uses, weights: map[K]int{}}
	}
	s.models = [3]*segmentSim[K]{model(recent), model(frequent), model(twice)}
	for i := range s.sizes {
		s.sizes[i] = model(recent)
	}
	s.shift = 0
	s.expect(s.room)
	s.switchTo(0)
}

func (s *adaptiveSim[K]) resize(capacity uint64) {
	s.capacity = int(capacity)
	if !s.weighted {
		s.room = s.capacity
	}
	if s.rng == nil {
		return // before follow
	}
	if !s.weighted {
		s.expect(s.capacity)
	}
	if s.sized > max(256, s.capacity) {
		s.sized = max(256, s.capacity)
		s.sketch.Resize(s.sized)
	}
}

// expect gives the models the sizes that are right for so many entries.
func (s *adaptiveSim[K]) expect(entries int) {
	s.room = entries
	for entries>>s.shift > 512 {
		s.shift++
	}
	for entries>>s.shift < 128 && s.shift > 0 {
		s.shift--
	}
	for i, m := range append(s.models[:], s.sizes[:]...) {
		for _, k := range m.order() {
			if !s.sampled(k) {
				m.remove(k)
			}
		}
		room := max(1, entries>>s.shift)
		m.resize(max(1, []int{room, room, room, room / 4, room / 2, 2 * room, 4 * room}[i]))
	}
}

func (s *adaptiveSim[K]) sampled(k K) bool { return s.place(k)>>7%(1<<s.shift) == 0 }

func (s *adaptiveSim[K]) switchTo(mode int) {
	s.mode, s.gains = mode, [3]int{}
	s.manner = s.models[mode].manner
	for _, m := range s.sizes {
		m.manner = s.manner
	}
}

// access counts a use, and changes the manner when another has been better by as many
// hits as a model has room for. It says whether a larger cache had the key.
func (s *adaptiveSim[K]) access(k K) bool {
	s.sketch.Touch(s.place(k))
	if !s.sampled(k) {
		return false
	}
	var had [3]int
	for i, m := range s.models {
		if m.ask(k) {
			had[i] = 1
		}
	}
	best, most := s.mode, s.models[0].capacity
	for i := range s.models {
		s.gains[i] = max(0, s.gains[i]+had[i]-had[s.mode])
		if s.gains[i] > most {
			best, most = i, s.gains[i]
		}
	}
	s.sampleOf++
	s.hits[2] += uint64(had[s.mode])
	larger := false
	for i, m := range s.sizes {
		if m.ask(k) {
			s.hits[[]int{0, 1, 3, 4}[i]]++
			larger = larger || i == 2
		}
	}
	if best != s.mode {
		s.switchTo(best)
	}
	return larger
}

func (s *adaptiveSim[K]) miss(k K) {
	if s.access(k) {
		s.returned += 1 << s.shift
	}
}

func (s *adaptiveSim[K]) insert(k K, w uint64) {
	s.segmentSim.insert(k, int(w))
	n := len(s.order())
	if n > s.sized {
		s.sized = max(256, min(2*s.sized, max(n, s.capacity)))
		s.sketch.Resize(s.sized)
	}
	if s.weighted && n > s.room {
		s.expect(2 * n)
	}
}

func (s *adaptiveSim[K]) hit(k K) {
	s.access(k)
	s.segmentSim.hit(k)
}

func (s *adaptiveSim[K]) set(k K)               { s.hit(k) }
func (s *adaptiveSim[K]) reweigh(k K, w uint64) { s.weights[k] = int(w) }
func (s *adaptiveSim[K]) ghostHits() uint64     { return s.returned }

func (s *adaptiveSim[K]) remove(k K) {
	s.segmentSim.remove(k)
	for _, m := range append(s.models[:], s.sizes[:]...) {
		m.remove(k)
	}
}

func (s *adaptiveSim[K]) evict(keep *K) K {
	if n := len(s.order()); s.weighted && (n > s.room+s.room/4 || n < s.room-s.room/4) {
		s.expect(n)
	}
	return s.segmentSim.evict(keep)
}
