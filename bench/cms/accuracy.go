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

// hashes are how many draws of a hash the largest error is taken the mean of: of one it says
// little.
const hashes = 8

// theirs is the excess of a peer whose rows have hashes of their own: the mean, and
// the mean of the largest.
var theirs = sync.OnceValues(func() (mean, worst float64) {
	for seed := range hashes {
		c := dsSeeded(int64(seed))
		for _, key := range users().keys {
			if err := c.Update(key, 1); err != nil {
				panic(err)
			}
		}
		m, w := excess(func(key []byte) uint64 { return uint64(c.GetEstimate(key)) })
		mean, worst = mean+m/hashes, worst+w/hashes
	}
	return mean, worst
})

// ours is the same of a sketch, fed with hashes under a secret each.
func ours(opts ...cms.Option) (mean, worst float64) {
	for seed := range hashes {
		c := sketch(small, append(opts, cms.WithSecret([16]byte{byte(seed)}))...)
		for _, key := range users().keys {
			c.Add(key)
		}
		m, w := excess(c.Count)
		mean, worst = mean+m/hashes, worst+w/hashes
	}
	return mean, worst
}

// accuracy bounds errors by those of the peer.
func accuracy() []bar.Figure {
	plain := sync.OnceValues(func() (float64, float64) { return ours() })
	return []bar.Figure{
		{Name: "mean error/eps=1e-3", Unit: "of datasketches'", Limit: 1.03, Measure: func() float64 {
			mean, _ := plain()
			their, _ := theirs()
			return mean / their
		}},
		{Name: "largest error/eps=1e-3", Unit: "of datasketches'", Limit: 1.5, Measure: func() float64 {
			_, worst := plain()
			_, their := theirs()
			return worst / their
		}},
		{Name: "mean error conservative/eps=1e-3", Unit: "of plain", Limit: 0.6, Measure: func() float64 {
			low, _ := ours(cms.WithConservative())
			mean, _ := plain()
			return low / mean
		}},
	}
}
