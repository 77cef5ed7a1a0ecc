package quorum

import (
	"sync/atomic"
	"time"
)

// Stats counts what a coordinator and its views have done since New.
type Stats struct {
	Background int    // replica calls that run although their operation has returned
	Reads      uint64 // operations begun
	Writes     uint64 // operations begun; a batch counts each of its keys
	Unmet      uint64 // operations that failed
	Calls      uint64 // replica calls sent
	Hedges     uint64 // of these, because another was slow
	Late       uint64 // values of reads that came after the level was met
	Missed     uint64 // owners that writes did not reach
	Repaired   uint64 // replicas brought up to date

	read, write counts
	n, r, w     int
}

type counters struct {
	reads, writes, unmet, calls, hedges, late, missed, repaired atomic.Uint64

	inline atomic.Uint64 // reads of one replica: each stands for a read and a call

	readTimes, writeTimes histogram
}

// answered notes how long a replica took to answer.
func (s *shared) answered(op string, d time.Duration) {
	switch op {
	case opRead:
		s.readTimes.add(d)
	case opWrite, opBatch:
		s.writeTimes.add(d)
	}
}

// Stats returns the counts so far, of c and all its views together. It may be
// called at any time, after Close as well.
func (c *Coordinator) Stats() Stats {
	if c == nil || c.shared == nil {
		return Stats{}
	}
	s := c.shared
	calls := s.calls.Load() // before inline, for it may be less than none alone
	inline := s.inline.Load()
	return Stats{
		Background: int(s.background.Load()),
		Reads:      s.reads.Load() + inline, Writes: s.writes.Load(), Unmet: s.unmet.Load(),
		Calls: calls + inline, Hedges: s.hedges.Load(), Late: s.late.Load(),
		Missed: s.missed.Load(), Repaired: s.repaired.Load(),
		read: s.readTimes.counts(), write: s.writeTimes.counts(),
		n: s.n, r: s.r, w: s.w,
	}
}

// ReadLatency returns the p-quantile, 0 ≤ p ≤ 1, of the time that one replica
// took to answer a read: of the last thousands of answers, within an eighth.
// 0 without any.
func (s Stats) ReadLatency(p float64) time.Duration { return s.read.quantile(p) }

// WriteLatency is ReadLatency of writes.
func (s Stats) WriteLatency(p float64) time.Duration { return s.write.quantile(p) }
