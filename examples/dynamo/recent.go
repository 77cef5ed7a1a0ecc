package main

import (
	"slices"
	"sync"
	"time"
)

// recent is what the clients saw in the last moment, for the page.
type recent struct {
	mu       sync.Mutex
	current  window
	previous window
	since    time.Time
}

// window is one such moment.
type window struct {
	gets, puts []time.Duration
	some       []recentRequest // the first few
}

type recentRequest struct {
	key   string
	write bool
}

const recentShown = 6

func (r *recent) add(key string, write bool, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.since) >= eventInterval {
		r.previous, r.current, r.since = r.current, window{}, now
	}
	if write {
		r.current.puts = append(r.current.puts, took)
	} else {
		r.current.gets = append(r.current.gets, took)
	}
	if len(r.current.some) < recentShown {
		r.current.some = append(r.current.some, recentRequest{key, write})
	}
}

// get returns the last whole moment, nothing if that is over for long.
func (r *recent) get() window {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.since) > 2*eventInterval {
		return window{}
	}
	return r.previous
}

// quantiles returns p50 and p99 of reads and writes in milliseconds.
func (w window) quantiles() (gets, puts [2]float64) {
	of := func(list []time.Duration) [2]float64 {
		sorted := slices.Sorted(slices.Values(list))
		return [2]float64{ms(percentile(sorted, 0.5)), ms(percentile(sorted, 0.99))}
	}
	return of(w.gets), of(w.puts)
}

// ms returns d in milliseconds, to a hundredth.
func ms(d time.Duration) float64 { return float64(d.Microseconds()/10) / 100 }
