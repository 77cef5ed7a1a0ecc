package cms

import "slices"

// CountMean returns an estimate of how often key was added that errs to both
// sides: every row takes from its counter what it expects other keys to have put
// there, and the median of the rows counts (Deng and Rafiei 2007), within 0 and
// Count. It is closer to the truth than Count for keys that are rare among many,
// and has no bound on one side. Of a conservative sketch, whose rows do not hold
// the total, it is Count.
func (s *Sketch) CountMean(key []byte) float64 { return s.CountMeanHash(s.Hash(key)) }

// CountMeanString is CountMean for a string.
func (s *Sketch) CountMeanString(key string) float64 { return s.CountMeanHash(s.HashString(key)) }

// CountMeanHash is CountMean for the key that h identifies.
func (s *Sketch) CountMeanHash(h uint64) float64 {
	most := float64(s.CountHash(h))
	if s.conservative || s.width < 2 {
		return most
	}
	x, g := spread(h)
	var rows [maxDepth]float64
	for i := range s.depth {
		c := float64(s.at(place(s.width, i, x, g)))
		rows[i] = c - (float64(s.total)-c)/float64(s.width-1)
	}
	slices.Sort(rows[:s.depth])
	median := (rows[(s.depth-1)/2] + rows[s.depth/2]) / 2
	return min(max(median, 0), most)
}

// at returns counter i, whatever its size.
func (c *counters) at(i uint64) uint64 {
	if c.wide != nil {
		return c.wide[i]
	}
	return uint64(c.narrow[i])
}
