package lru_test

import (
	"math/rand/v2"
	"slices"

	"github.com/distkit/distkit/lru"
)

// simulator is a policy by its definition, in slices that are searched from one
// end to the other. What it does is what a cache must do, decision by decision.
type simulator[K comparable] interface {
	resize(capacity uint64)
	clear()
	miss(key K)
	insert(key K, weight uint64)
	hit(key K)
	set(key K)
	reweigh(key K, weight uint64)
	evict(keep *K) K
	remove(key K)
	order() []K
	ghostHits() uint64
}

// randomSeed is that of every Random in tests.
const randomSeed = 11

func newSimulator[K comparable](p lru.Policy, weighted bool) simulator[K] {
	switch p {
	case lru.LRU, lru.MRU, lru.FIFO, lru.LIFO:
		return &queueSim[K]{moves: p == lru.LRU || p == lru.MRU, newest: p == lru.LIFO || p == lru.MRU}
	case lru.LFU:
		return &lfuSim[K]{}
	case lru.Random:
		return &randomSim[K]{rng: rand.New(rand.NewPCG(randomSeed, 0))}
	case lru.SIEVE:
		return &sieveSim[K]{visited: map[K]bool{}}
	case lru.S3FIFO:
		return &s3fifoSim[K]{weighted: weighted, freq: map[K]int{}, weights: map[K]uint64{}}
	case lru.Adaptive:
		return &adaptiveSim[K]{weighted: weighted}
	}
	panic(p)
}

// basis is a queue in the order of insertion, and what most have in common.
type basis[K comparable] struct {
	keys []K // oldest first
}

func (s *basis[K]) resize(uint64)        {}
func (s *basis[K]) clear()               { s.keys = nil }
func (s *basis[K]) miss(K)               {}
func (s *basis[K]) insert(k K, _ uint64) { s.keys = append(s.keys, k) }
func (s *basis[K]) hit(K)                {}
func (s *basis[K]) set(K)                {}
func (s *basis[K]) reweigh(K, uint64)    {}
func (s *basis[K]) remove(k K)           { s.keys = without(s.keys, k) }
func (s *basis[K]) toEnd(k K)            { s.keys = append(without(s.keys, k), k) }
func (s *basis[K]) order() []K           { return slices.Clone(s.keys) }
func (s *basis[K]) ghostHits() uint64    { return 0 }

// first returns the first of keys that is not keep.
func first[K comparable](keys []K, keep *K) (k K, ok bool) {
	for _, k = range keys {
		if keep == nil || k != *keep {
			return k, true
		}
	}
	return k, false
}

type queueSim[K comparable] struct {
	basis[K]
	moves, newest bool
}

func (s *queueSim[K]) hit(k K) {
	if s.moves {
		s.toEnd(k)
	}
}
func (s *queueSim[K]) set(k K) { s.hit(k) }

func (s *queueSim[K]) evict(keep *K) K {
	k, _ := first(s.keys, keep)
	if s.newest {
		for _, other := range s.keys {
			if keep == nil || other != *keep {
				k = other
			}
		}
	}
	s.remove(k)
	return k
}

// lfuSim has its keys by recency.
type lfuSim[K comparable] struct {
	basis[K]
	counts []int // of those
}

func (s *lfuSim[K]) clear() { s.keys, s.counts = nil, nil }

func (s *lfuSim[K]) insert(k K, w uint64) {
	s.basis.insert(k, w)
	s.counts = append(s.counts, 1)
}

func (s *lfuSim[K]) hit(k K) {
	count := s.counts[slices.Index(s.keys, k)] + 1
	s.remove(k)
	s.keys, s.counts = append(s.keys, k), append(s.counts, count)
}
func (s *lfuSim[K]) set(k K) { s.hit(k) }

func (s *lfuSim[K]) remove(k K) {
	i := slices.Index(s.keys, k)
	s.keys, s.counts = slices.Delete(s.keys, i, i+1), slices.Delete(s.counts, i, i+1)
}

func (s *lfuSim[K]) order() []K {
	at := make([]int, len(s.keys))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return s.counts[a] - s.counts[b] })
	var keys []K
	for _, i := range at {
		keys = append(keys, s.keys[i])
	}
	return keys
}

func (s *lfuSim[K]) evict(keep *K) K {
	best := -1
	for i, count := range s.counts {
		if (best < 0 || count < s.counts[best]) && (keep == nil || s.keys[i] != *keep) {
			best = i
		}
	}
	k := s.keys[best]
	s.remove(k)
	return k
}

// randomSim draws as the cache does, from the same numbers.
type randomSim[K comparable] struct {
	basis[K]
	pool []K
	rng  *rand.Rand
}

func (s *randomSim[K]) clear() { s.keys, s.pool = nil, nil }

func (s *randomSim[K]) insert(k K, w uint64) {
	s.basis.insert(k, w)
	s.pool = append(s.pool, k)
}

func (s *randomSim[K]) remove(k K) {
	s.basis.remove(k)
	i, last := slices.Index(s.pool, k), len(s.pool)-1
	s.pool[i] = s.pool[last]
	s.pool = s.pool[:last]
}

func (s *randomSim[K]) evict(keep *K) K {
	n := uint64(len(s.pool))
	k := s.pool[n-1]
	if keep == nil {
		k = s.pool[s.rng.Uint64N(n)]
	} else if other := s.pool[s.rng.Uint64N(n-1)]; other != *keep {
		k = other
	}
	s.remove(k)
	return k
}

type sieveSim[K comparable] struct {
	basis[K]
	visited map[K]bool
	hand    int // index in keys
}

func (s *sieveSim[K]) clear()  { s.keys, s.hand = nil, 0 }
func (s *sieveSim[K]) hit(k K) { s.visited[k] = true }

func (s *sieveSim[K]) insert(k K, w uint64) {
	s.basis.insert(k, w)
	s.visited[k] = false
	if s.hand == len(s.keys)-1 { // it stood past the newest, which is the beginning
		s.hand = 0
	}
}

func (s *sieveSim[K]) remove(k K) {
	if slices.Index(s.keys, k) < s.hand {
		s.hand--
	}
	s.basis.remove(k)
}

func (s *sieveSim[K]) evict(keep *K) K {
	for ; ; s.hand++ {
		if s.hand >= len(s.keys) {
			s.hand = 0
		}
		k := s.keys[s.hand]
		if keep != nil && k == *keep {
			continue
		}
		if !s.visited[k] {
			s.remove(k)
			return k
		}
		s.visited[k] = false
	}
}

type s3fifoSim[K comparable] struct {
	weighted           bool
	capacity           uint64
	small, main, ghost []K // oldest first
	freq               map[K]int
	weights            map[K]uint64
	known              bool
	returned           uint64
}

func (s *s3fifoSim[K]) resize(capacity uint64) {
	s.capacity = capacity
	s.trim()
}
func (s *s3fifoSim[K]) clear()            { s.small, s.main, s.ghost = nil, nil, nil }
func (s *s3fifoSim[K]) target() uint64    { return max(1, s.capacity/10) }
func (s *s3fifoSim[K]) order() []K        { return slices.Concat(s.small, s.main) }
func (s *s3fifoSim[K]) ghostHits() uint64 { return s.returned }

func (s *s3fifoSim[K]) miss(k K) {
	if s.known = slices.Contains(s.ghost, k); s.known {
		s.ghost = without(s.ghost, k)
		s.returned++
	}
}

func (s *s3fifoSim[K]) insert(k K, w uint64) {
	s.freq[k], s.weights[k] = 0, w
	if s.known {
		s.main = append(s.main, k)
		s.known = false
	} else {
		s.small = append(s.small, k)
	}
}

func (s *s3fifoSim[K]) hit(k K)               { s.freq[k] = min(3, s.freq[k]+1) }
func (s *s3fifoSim[K]) set(K)                 {}
func (s *s3fifoSim[K]) reweigh(k K, w uint64) { s.weights[k] = w }
func (s *s3fifoSim[K]) remove(k K)            { s.small, s.main = without(s.small, k), without(s.main, k) }

func (s *s3fifoSim[K]) weigh(keys []K) (sum uint64) {
	for _, k := range keys {
		sum += s.weights[k]
	}
	return sum
}

func (s *s3fifoSim[K]) evict(keep *K) K {
	_, mainHas := first(s.main, keep)
	if s.weigh(s.small) < s.target() && mainHas {
		return s.evictMain(keep)
	}
	for {
		k, ok := first(s.small, keep)
		if !ok {
			return s.evictMain(keep)
		}
		s.small = without(s.small, k)
		if s.freq[k] <= 1 {
			s.ghost = append(s.ghost, k)
			s.trim()
			return k
		}
		s.main = append(s.main, k)
		s.freq[k] = 0
		if s.weigh(s.main) > s.capacity-s.target() {
			return s.evictMain(keep)
		}
	}
}

func (s *s3fifoSim[K]) evictMain(keep *K) K {
	for {
		k, _ := first(s.main, keep)
		s.main = without(s.main, k)
		if s.freq[k] == 0 {
			return k
		}
		s.freq[k]--
		s.main = append(s.main, k)
	}
}

// trim bounds the ghost by what main has room for or, as weights say nothing of
// numbers, by the number of entries.
func (s *s3fifoSim[K]) trim() {
	limit := max(1, int(s.capacity-s.target()))
	if s.weighted {
		limit = max(1, len(s.small)+len(s.main))
	}
	if over := len(s.ghost) - limit; over > 0 {
		s.ghost = s.ghost[over:]
	}
}
