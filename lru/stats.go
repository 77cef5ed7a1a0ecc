package lru

// Stats are counts since New.
type Stats struct {
	Hits, Misses uint64 // of Get, GetHashed and GetOrSet; with WithStats
	Inserts      uint64 // of keys that were not held
	Evictions    uint64 // for room, by Resize and by Evict
	Rejections   uint64 // a Set that returned false
}

// HitRatio returns the share of hits, 0 when nothing was asked.
func (s Stats) HitRatio() float64 {
	if s.Hits+s.Misses == 0 {
		return 0
	}
	return float64(s.Hits) / float64(s.Hits+s.Misses)
}

// Stats returns the counts of c. Hits and misses are counted with WithStats only.
func (c *Cache[K, V]) Stats() Stats { return c.stats }
