package gossip

import "time"

// detector is the φ-accrual failure detector (Hayashibara et al., SRDS 2004) in
// the exponential form of Cassandra: from the mean gap between heartbeats it
// says how unlikely the present silence is, φ = -log10 P(gap > silence). Times
// are local: what a node says about time is not believed.
type detector struct {
	last  time.Time // zero: nothing heard, and nobody waits
	gaps  []uint32  // ring of the last gaps, in units of 0.1 ms
	next  int
	sum   uint64
	heard bool // last is a heartbeat, not the begin of waiting
}

const (
	maxGaps = 1000
	gapUnit = 100 * time.Microsecond
	log10e  = 0.4342944819032518
)

// begin makes the detector wait for a first heartbeat.
func (d *detector) begin(now time.Time) {
	if d.last.IsZero() {
		d.last = now
	}
}

// beat notes a heartbeat. A silence that was suspicious is not a gap between
// heartbeats: the node was away.
func (d *detector) beat(now time.Time, c *config) {
	gap := now.Sub(d.last)
	if d.heard && gap >= 0 && d.phi(now, c) < c.threshold {
		d.add(uint32(min(gap/gapUnit, 1<<31)))
	}
	d.last, d.heard = now, true
}

func (d *detector) add(gap uint32) {
	d.sum += uint64(gap)
	if len(d.gaps) < maxGaps {
		d.gaps = append(d.gaps, gap)
		return
	}
	d.sum -= uint64(d.gaps[d.next])
	d.gaps[d.next] = gap
	d.next = (d.next + 1) % maxGaps
}

// phi is 0 as long as nothing is waited for. Gaps below the interval are news
// that came on several ways at once: the mean is never below it.
func (d *detector) phi(now time.Time, c *config) float64 {
	silence := now.Sub(d.last)
	if d.last.IsZero() || silence <= 0 {
		return 0
	}
	mean := float64(c.interval)
	if n := len(d.gaps); n > 0 {
		mean = max(mean, float64(d.sum)/float64(n)*float64(gapUnit))
	}
	return log10e * float64(silence) / mean
}
