package cms

import (
	"sync"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
)

// excess returns the mean and the largest excess of the estimates of all keys of
// the stream. A sketch that underestimates is no sketch.
func excess(count func(key []byte) uint64) (mean, worst float64) {
	s := users()
	for id, n := range s.truth {
		got := count(userKey(id))
		if got < n {
			panic("an estimate is below the truth")
		}
		mean += float64(got-n) / float64(len(s.truth))
		worst = max(worst, float64(got-n))
	}
	return mean, worst
}

var theirExcess = sync.OnceValues(func() (mean, worst float64) {
	c := dsFilled()
	return excess(func(key []byte) uint64 { return uint64(c.GetEstimate(key)) })
})

// accuracy bounds errors by those of a peer whose rows have hashes of their own.
func accuracy() []bar.Figure {
	ours := sync.OnceValues(func() (float64, float64) { return excess(filled().Count) })
	return []bar.Figure{
		{Name: "mean error/eps=1e-3", Unit: "of datasketches'", Limit: 1.03, Measure: func() float64 {
			mean, _ := ours()
			theirs, _ := theirExcess()
			return mean / theirs
		}},
		{Name: "largest error/eps=1e-3", Unit: "of datasketches'", Limit: 1.5, Measure: func() float64 {
			_, worst := ours()
			_, theirs := theirExcess()
			return worst / theirs
		}},
		{Name: "mean error conservative/eps=1e-3", Unit: "of plain", Limit: 0.6, Measure: func() float64 {
			c := sketch(small, cms.WithConservative())
			for _, h := range users().hashes {
				c.AddHash(h)
			}
			low, _ := excess(c.Count)
			mean, _ := ours()
			return low / mean
		}},
	}
}
