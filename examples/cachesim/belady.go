package main

import "container/heap"

// belady returns the hit ratio of a cache that knows the future and need not keep what
// it reads: it drops what is used again last (Belady 1966). None hits more.
func belady(keys []string, capacity int) float64 {
	next, later := make([]int, len(keys)), map[string]int{}
	for i := len(keys) - 1; i >= 0; i-- {
		next[i] = len(keys)
		if at, ok := later[keys[i]]; ok {
			next[i] = at
		}
		later[keys[i]] = i
	}
	held, hits := map[string]int{}, 0
	var queue furthest
	for i, k := range keys {
		if _, ok := held[k]; ok {
			hits++
		}
		held[k] = next[i]
		heap.Push(&queue, use{k, next[i]})
		for len(held) > capacity {
			if u := heap.Pop(&queue).(use); held[u.key] == u.next {
				delete(held, u.key)
			}
		}
	}
	return float64(hits) / float64(len(keys))
}

// use is when a key is used next, unless it was used since.
type use struct {
	key  string
	next int
}

// furthest is a heap of uses, the latest first.
type furthest []use

func (f furthest) Len() int           { return len(f) }
func (f furthest) Less(i, j int) bool { return f[i].next > f[j].next }
func (f furthest) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *furthest) Push(x any)        { *f = append(*f, x.(use)) }
func (f *furthest) Pop() any {
	last := len(*f) - 1
	u := (*f)[last]
	*f = (*f)[:last]
	return u
}
