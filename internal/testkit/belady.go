package testkit

import "math/bits"

// Belady returns how many of the requests for keys hit in a cache that knows the
// future and need not keep what it is asked for: it drops the key whose next request
// comes last (Belady, "A study of replacement algorithms for a virtual-storage
// computer", 1966). No policy hits more often. It takes a few words a request.
func Belady[K comparable](keys []K, capacity int) (hits int) {
	next, later := make([]int, len(keys)), map[K]int{}
	for i := len(keys) - 1; i >= 0; i-- {
		next[i] = later[keys[i]] // 0 for never
		later[keys[i]] = i
	}
	held, n := newTimes(len(keys)), 0 // as the times at which what is held is asked for next
	for i := range keys {
		if held.has(i) {
			hits++
			held.remove(i)
			n--
		}
		if next[i] == 0 {
			continue
		}
		held.add(next[i])
		if n++; n > capacity {
			held.remove(held.latest())
			n--
		}
	}
	return hits
}

// times is a set of numbers: bits, and above each 64 words a word that says which of
// them are not 0.
type times [][]uint64

func newTimes(n int) (t times) {
	for {
		n = (n + 63) / 64
		t = append(t, make([]uint64, n))
		if n <= 1 {
			return t
		}
	}
}

func (t times) has(i int) bool { return t[0][i/64]>>(i%64)&1 == 1 }

func (t times) add(i int) {
	for _, words := range t {
		words[i/64] |= 1 << (i % 64)
		i /= 64
	}
}

func (t times) remove(i int) {
	for _, words := range t {
		words[i/64] &^= 1 << (i % 64)
		if i /= 64; words[i] != 0 {
			return
		}
	}
}

// latest returns the largest, of at least one.
func (t times) latest() (i int) {
	for level := len(t) - 1; level >= 0; level-- {
		i = 64*i + bits.Len64(t[level][i]) - 1
	}
	return i
}
