package lru

import (
	"fmt"

	"github.com/distkit/distkit/internal/testkit"
)

// load is a sequence of requests for keys from 0 on.
type load struct {
	name     string
	keys     []int32
	distinct int
}

func newLoad(name string, keys []uint64) load {
	l := load{name: name, keys: make([]int32, len(keys))}
	number := make(map[uint64]int32, len(keys)/4)
	for i, k := range keys {
		n, ok := number[k]
		if !ok {
			n = int32(len(number))
			number[k] = n
		}
		l.keys[i] = n
	}
	l.distinct = len(number)
	return l
}

// recordedLoads are those of the folder Traces.
func recordedLoads() (loads []load, err error) {
	for _, trace := range []struct {
		name string
		read func() ([]uint64, error)
	}{{"oltp", oltp}, {"w106", w106}, {"corda", corda}} {
		keys, err := trace.read()
		if err != nil {
			return nil, err
		}
		loads = append(loads, newLoad(trace.name, keys))
		if trace.name == "corda" {
			loads = append(loads, newLoad("corda, then loop", sequence(keys, loop(1_000_000, 1000))))
		}
	}
	return loads, nil
}

// generatedLoads are synthetic ones of about so many requests each, 100,000 at least
// if their names are to be true.
func generatedLoads(n int) []load {
	return []load{
		newLoad("zipf 1.0", zipf(1, 1, n, n/5)),
		newLoad("zipf 0.8", zipf(2, 0.8, n, n/5)),
		newLoad("loop", loop(n, n/100)),
		newLoad("scans among zipf 0.9", scanned(zipf(3, 0.9, n/2, n/20), n/100)),
		newLoad("zipf 1.0 that shifts", shifting(4, n)),
		newLoad("used again soon, then loop", sequence(vault(n/2), loop(n/2, n/200))),
		newLoad("phases", phases(n)),
		newLoad("two sizes of loops and zipf", sequence(loop(n/4, n/80), zipf(5, 0.9, n/4, n/40), loop(n/4, n/400), zipf(6, 0.9, n/4, n/40))),
		newLoad("what freezes SIEVE", freezing(n)),
	}
}

func zipf(seed uint64, s float64, n, keys int) []uint64 {
	rank := testkit.Zipf(seed, s, uint64(keys))
	requests := make([]uint64, n)
	for i := range requests {
		requests[i] = rank()
	}
	return requests
}

func loop(n, length int) []uint64 {
	requests := make([]uint64, n)
	for i := range requests {
		requests[i] = uint64(i % length)
	}
	return requests
}

// scanned has after every length requests as many for keys that nobody asks for again.
func scanned(requests []uint64, length int) (mixed []uint64) {
	once := uint64(1 << 40)
	for i, k := range requests {
		mixed = append(mixed, k)
		if i%length == length-1 {
			for range length {
				once++
				mixed = append(mixed, once)
			}
		}
	}
	return mixed
}

// shifting replaces a quarter of the popular keys ten times.
func shifting(seed uint64, n int) []uint64 {
	requests := zipf(seed, 1, n, n/25)
	for i := range requests {
		requests[i] += uint64(i / (n / 10) * (n / 100))
	}
	return requests
}

// vault asks for two new keys, and then for the first of them again, and never more:
// any cache that keeps what is new hits a third, as in Corda's.
func vault(n int) []uint64 {
	requests := make([]uint64, n)
	for i := range requests {
		requests[i] = uint64(i / 3 * 2)
		if i%3 == 1 {
			requests[i]++
		}
	}
	return requests
}

// freezing asks five times for each of a hundredth of its keys, and then for each of
// the others twice, 200 apart: of github.com/cacheMon/NSDI24-SIEVE#6.
func freezing(n int) (requests []uint64) {
	hot := n / 200
	for i := range 5 * hot {
		requests = append(requests, uint64(i%hot))
	}
	for i := range 99 * hot {
		requests = append(requests, uint64(hot+i))
		if i >= 200 {
			requests = append(requests, uint64(hot+i-200))
		}
	}
	return requests
}

// phases differ in all: popular keys, a loop, keys used again soon, scans among popular
// keys, a shorter loop.
func phases(n int) []uint64 {
	return sequence(zipf(7, 0.9, n/5, n/100), loop(n/5, n/200), vault(n/5), scanned(zipf(8, 1, n/10, n/200), n/400), loop(n/5, n/1000))
}

// sequence puts requests for different keys one after another.
func sequence(parts ...[]uint64) (all []uint64) {
	for i, part := range parts {
		for _, k := range part {
			all = append(all, k<<8|uint64(i))
		}
	}
	return all
}

// capacities are those at which policies are compared, in parts of the distinct keys.
var capacities = []float64{0.001, 0.01, 0.05, 0.10, 0.25, 0.50}

const leastCapacity = 10 // in less, all is luck

func (l load) describe() string {
	return fmt.Sprintf("%s (%s / %s)", l.name, short(len(l.keys)), short(l.distinct))
}

func short(n int) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.2gM", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.3gk", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}
