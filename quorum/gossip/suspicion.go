package gossip

import (
	"maps"
	"math"
	"slices"
	"time"
)

// suspicion is who suspects a node in the state that it has; it ends when the
// node is heard of with a newer heartbeat. Reports travel with the state.
type suspicion struct {
	by    map[string]struct{}
	since time.Time // local
}

func (s *suspicion) add(observer string, now time.Time) bool {
	if _, ok := s.by[observer]; ok {
		return false
	}
	if s.by == nil {
		s.by = make(map[string]struct{})
		s.since = now
	}
	s.by[observer] = struct{}{}
	return true
}

func (s *suspicion) observers() []string { return slices.Sorted(maps.Keys(s.by)) }

// timeout is how long a suspicion lasts that so many of the others share: it
// shrinks with each observer that confirms it beyond those that must (Dadgar et al.,
// "Lifeguard", DSN 2018). Two, or all there are, make it shortest.
func (c *config) timeout(observers, needed, others int) time.Duration {
	confirmed, wanted := observers-needed, min(others-needed, 2)
	if confirmed >= wanted {
		return c.min
	}
	part := math.Log(float64(confirmed+1)) / math.Log(float64(wanted+1))
	return max(c.min, c.max-time.Duration(part*float64(c.max-c.min)))
}
