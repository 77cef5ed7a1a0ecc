package lru

import "time"

// Stats are counts since New.
type Stats struct {
	Hits, Misses uint64 // of Get, GetHashed and GetOrSet; with WithStats
	Inserts      uint64 // of keys that were not held
	Evictions    uint64 // for room, by Resize and by Evict
	Expirations  uint64 // entries whose lifetime ended and that were taken out
	Rejections   uint64 // a Set that returned false
	// GhostHits counts inserts of keys that had left not long ago: hits, had the cache
	// been about twice as large. Under S3FIFO; and from a sample, as a multiple of its
	// part, under Adaptive with WithStats.
	GhostHits uint64
	// Sampled counts the uses of a sample of the keys, under Adaptive with WithStats,
	// and SampledHits which of them would be hits at a quarter of the capacity, half of
	// it, all, twice and four times as much. See HitRatioAt.
	Sampled     uint64
	SampledHits [5]uint64

	// Of GetOrLoad, and of the Store of a Backed, for which ErrNotFound is an answer
	// and no error.
	Loads      uint64        // that ended
	LoadErrors uint64        // and did not return a value
	LoadTime   time.Duration // of all together; with WithStats

	// Of a Backed.
	Dirty      uint64 // keys that are unsaved now
	SaveErrors uint64 // writes of a key that the Store failed, each attempt
}

func (s *Stats) add(t Stats) {
	s.Hits += t.Hits
	s.Misses += t.Misses
	s.Inserts += t.Inserts
	s.Evictions += t.Evictions
	s.Expirations += t.Expirations
	s.Rejections += t.Rejections
	s.GhostHits += t.GhostHits
	s.Sampled += t.Sampled
	for k, n := range t.SampledHits {
		s.SampledHits[k] += n
	}
}

// HitRatio returns the share of hits, 0 when nothing was asked.
func (s Stats) HitRatio() float64 {
	if s.Hits+s.Misses == 0 {
		return 0
	}
	return float64(s.Hits) / float64(s.Hits+s.Misses)
}

// Stats returns the counts of c. Hits and misses are counted with WithStats only.
//
// (Hits + GhostHits) / (Hits + Misses) estimates the hit ratio of a cache of about
// twice the size, which says what more memory would earn, if every miss is followed
// by a Set. Under Adaptive HitRatioAt tells of other sizes, too.
func (c *Cache[K, V]) Stats() Stats { return c.stats }
