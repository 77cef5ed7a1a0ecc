package lru

import "github.com/distkit/distkit/internal/tinylfu"

// models are small caches that see a sample of the keys. They hit about what a cache
// would hit that is as many times as large as there are more keys than in the sample.
// One is of each manner, to compare them; with WithStats there are others of the
// manner in use, and of other sizes.
type models struct {
	byManner [len(manners)]*model
	bySize   [len(sizes)]*model // nil for the size 1, and without WithStats
	shift    uint               // one key of 1<<shift is in the sample
	room     uint64             // of each by manner
}

// model is a cache of places, which tell nothing of the keys.
type model = Cache[uint32, struct{}]

const (
	mostRoom  = 512 // of a model: larger ones do not choose better
	leastRoom = 128 // where not all keys are in the sample
	mostShift = 16

	// The lowest bits of a place are the tag in a model's table, the highest choose the
	// group; by those between it is sampled.
	sampleBit = 7
)

// newModels returns models without room.
func newModels(sketch *tinylfu.Sketch, stats bool) (m models) {
	for k := range m.byManner {
		m.byManner[k] = newModel(sketch, manners[k])
	}
	for k, size := range sizes {
		if stats && size != 1 {
			m.bySize[k] = newModel(sketch, manners[0])
		}
	}
	return m
}

func newModel(sketch *tinylfu.Sketch, of manner) *model {
	c := &model{policy: Adaptive, capacity: 1}
	c.heads = Adaptive.heads()
	c.hash.mode = hashPlace
	c.slab.reset()
	c.chooser = &segments[uint32, struct{}]{slab: &c.slab, sketch: sketch, manner: of}
	c.chooser.resize(1)
	return c
}

// scale makes m models of a cache of that many entries.
func (m *models) scale(entries uint64) {
	before := m.shift
	for entries>>m.shift > mostRoom && m.shift < mostShift {
		m.shift++
	}
	for entries>>m.shift < leastRoom && m.shift > 0 {
		m.shift--
	}
	m.room = max(1, entries>>m.shift)
	m.each(func(c *model, size float64) {
		if m.shift > before {
			c.DeleteFunc(func(place uint32, _ struct{}) bool { return !m.sampled(place) })
		}
		if room := max(1, int(float64(m.room)*size)); room != c.Cap() {
			_ = c.Resize(room) // which is in range
		}
	})
}

func (m *models) each(f func(c *model, size float64)) {
	for _, c := range m.byManner {
		f(c, 1)
	}
	for k, c := range m.bySize {
		if c != nil {
			f(c, sizes[k])
		}
	}
}

// follow makes the models of other sizes ones of a manner.
func (m *models) follow(mode int) {
	for _, c := range m.bySize {
		if c != nil {
			c.chooser.(*segments[uint32, struct{}]).turn(manners[mode])
		}
	}
}

// sampled says whether the models see the keys of that place.
func (m *models) sampled(place uint32) bool { return place&m.mask() == 0 }

// mask returns the bits of a place that are 0 in the sample.
func (m *models) mask() uint32 { return (1<<m.shift - 1) << sampleBit }

// ask asks the models of every manner, and returns which of them had the key.
func (m *models) ask(place uint32) (hits [len(manners)]bool) {
	for k, c := range m.byManner {
		_, hits[k] = c.GetOrSet(place, struct{}{})
	}
	return hits
}

// askSizes asks the models of other sizes, and counts what they had.
func (m *models) askSizes(s *Stats, place uint32, hit bool) {
	s.Sampled++
	for k, c := range m.bySize {
		had := hit
		if c != nil {
			_, had = c.GetOrSet(place, struct{}{})
		}
		if had {
			s.SampledHits[k]++
		}
	}
}

// remove takes out a key that left the cache before its time, and can be no hit.
func (m *models) remove(place uint32) {
	if m.sampled(place) {
		m.each(func(c *model, _ float64) { c.Delete(place) })
	}
}
