package quorum

import (
	"math/rand/v2"
	"time"

	"github.com/distkit/distkit/quorum/pbs"
)

// freshTrials puts Fresh within about half a point.
const freshTrials = 20_000

// Fresh returns the chance that a read that begins t after a write was
// acknowledged sees it, for the n, r and w that New was given, from how long
// replicas have lately taken to answer: simulated as in package pbs, within
// about a point. An answer's time is taken as half the way there and half the
// way back. 1 where R + W > N; 0 before anything was read and written, and for
// t < 0. It takes some milliseconds: ask now and then.
func (s Stats) Fresh(t time.Duration) float64 {
	switch {
	case s.n == 0 || t < 0:
		return 0
	case s.r+s.w > s.n:
		return 1
	case s.read.total() == 0 || s.write.total() == 0:
		return 0
	}
	read, write := s.read.half(), s.write.half()
	p, err := pbs.Predict(s.n, s.r, s.w, pbs.WARS{W: write, A: write, R: read, S: read}, freshTrials, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		return 0
	}
	return p.Fresh(t)
}

// half draws half of a time that the counts hold.
func (c *counts) half() func(*rand.Rand) time.Duration {
	var table [1024]time.Duration // quantiles: drawing must be cheap
	for i := range table {
		table[i] = c.quantile((float64(i)+0.5)/float64(len(table))) / 2
	}
	return func(rng *rand.Rand) time.Duration { return table[rng.IntN(len(table))] }
}
