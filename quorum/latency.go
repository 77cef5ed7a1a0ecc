package quorum

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// moment is a monotonic time, since the process began. To read it costs half of
// time.Now, which reads the wall clock as well.
type moment time.Duration

var epoch = time.Now()

func now() moment                     { return moment(time.Since(epoch)) }
func (m moment) since() time.Duration { return time.Duration(now() - m) }

// histogram counts durations in 8 buckets per power of two, from 16 µs to two
// minutes: a quantile is off by at most an eighth. All counts are halved every
// 4096 samples, so that it follows the present. It is lock-free; a sample that
// races with the halving may be lost, which no quantile notices.
type histogram struct {
	samples atomic.Uint32
	buckets [1 + latencyPowers*subBuckets]atomic.Uint32
}

const (
	subBuckets    = 8
	latencyBits   = 14 // 2^14 ns: where the buckets begin
	latencyPowers = 23
	halveAfter    = 4096
)

func bucketOf(d time.Duration) int {
	if d < 1<<latencyBits {
		return 0
	}
	power := bits.Len64(uint64(d)) - 1
	if power >= latencyBits+latencyPowers {
		return latencyPowers * subBuckets
	}
	return 1 + (power-latencyBits)*subBuckets + int(d>>(power-3))&(subBuckets-1)
}

// edge is the least duration of bucket i.
func edge(i int) time.Duration {
	if i == 0 {
		return 0
	}
	power, sub := (i-1)/subBuckets+latencyBits, (i-1)%subBuckets
	return time.Duration(subBuckets+sub) << (power - 3)
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)].Add(1)
	if h.samples.Add(1)%halveAfter == 0 {
		for i := range h.buckets {
			h.buckets[i].Store(h.buckets[i].Load() / 2)
		}
	}
}

// counts is a copy of a histogram, and what quantiles are taken from.
type counts [1 + latencyPowers*subBuckets]uint32

func (h *histogram) counts() (c counts) {
	for i := range h.buckets {
		c[i] = h.buckets[i].Load()
	}
	return c
}

func (c *counts) total() (sum uint64) {
	for _, n := range c {
		sum += uint64(n)
	}
	return sum
}

// quantile returns the p-quantile, 0 without samples or for p outside [0, 1].
func (c *counts) quantile(p float64) time.Duration {
	total := c.total()
	if total == 0 || !(p >= 0 && p <= 1) {
		return 0
	}
	rank := p * float64(total)
	for i, n := range c {
		if n > 0 && rank <= float64(n) {
			lo, hi := edge(i), edge(i+1)
			return lo + time.Duration(rank/float64(n)*float64(hi-lo))
		}
		rank -= float64(n)
	}
	return edge(len(c))
}
