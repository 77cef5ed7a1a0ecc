package ratelimit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/sethvargo/go-limiter"
	"golang.org/x/time/rate"
)

const clients = 1 << 20

// names are the keys of all clients.
var names = sync.OnceValue(func() []string {
	all := make([]string, clients)
	for i := range all {
		all[i] = fmt.Sprintf("client-%09d", i)
	}
	return all
})

// million are tables that hold all clients, made once for all bars. They are let go
// before memory and garbage collection are measured.
var million struct {
	ours   *ratelimit.Keyed
	theirs *limiters
	third  limiter.Store
}

func ours() *ratelimit.Keyed {
	if million.ours == nil {
		million.ours = keyed()
		fill(million.ours.AllowString)
	}
	return million.ours
}

func theirs() *limiters {
	if million.theirs == nil {
		million.theirs = newLimiters()
		fill(million.theirs.allow)
	}
	return million.theirs
}

func third() limiter.Store {
	if million.third == nil {
		million.third = newSethvargo()
		fill(func(key string) bool { return take(million.third, key) })
	}
	return million.third
}

func letGo() {
	if million.third != nil {
		_ = million.third.Close(context.Background())
	}
	million.ours, million.theirs, million.third = nil, nil, nil
}

func fill(allow func(string) bool) {
	for _, name := range names() {
		allow(name)
	}
}

// order returns a function that asks for clients in the order of ranks, from a place
// of its own for each goroutine.
func order(rank func() uint64, allow func(string) bool) func() bool {
	const n = 1 << 20
	keys := make([]string, n)
	for i := range keys {
		keys[i] = names()[rank()]
	}
	var next atomic.Uint32
	return func() bool { return allow(keys[next.Add(1)%n]) }
}

func uniform() func() uint64 {
	rnd := rand.New(rand.NewPCG(1, 2))
	return func() uint64 { return rnd.Uint64N(clients) }
}

// zipf spreads popular clients over memory as unpopular ones are.
func zipf() func() uint64 {
	next := testkit.Zipf(1, 1.1, clients)
	return func() uint64 { return next() * 0x9e3779b97f4a7c15 % clients }
}

func keyedBars() []bar.Bar {
	mutexMap := func(rank func() func() uint64) bar.Side {
		return side("mutex+map+x/time", func() func() bool { return order(rank(), theirs().allow) })
	}
	mine := func(rank func() func() uint64) func() func() bool {
		return func() func() bool { return order(rank(), ours().AllowString) }
	}
	return []bar.Bar{
		{Name: "Keyed/n=2^20/uniform", Limit: 0.65, Ours: side("distkit", mine(uniform)), Peer: mutexMap(uniform)},
		{Name: "Keyed/n=2^20/zipf 1.1", Limit: 0.50, Ours: side("distkit", mine(zipf)), Peer: mutexMap(zipf)},
		{
			Name: "Keyed/n=2^20/zipf 1.1/all cores", Limit: 0.85,
			Ours: parallel("distkit", mine(zipf)),
			Peer: parallel("sethvargo", func() func() bool {
				return order(zipf(), func(key string) bool { return take(third(), key) })
			}),
		},
		{
			Name: "Keyed/new key each call", Limit: 0.5,
			Ours: side("distkit", func() func() bool { return strangers(keyed().AllowString) }),
			Peer: side("sethvargo", func() func() bool {
				s := newSethvargo()
				return strangers(func(key string) bool { return take(s, key) })
			}),
		},
	}
}

// strangers asks for a key that was never there, cut from one long text so that its
// making costs nothing.
func strangers(allow func(string) bool) func() bool {
	rnd := rand.NewChaCha8([32]byte{1})
	text := make([]byte, 64<<20)
	_, _ = rnd.Read(text)
	all, at := string(text), 0
	return func() bool {
		at += 8
		return allow(all[at%(len(all)-16):][:16])
	}
}

func keyedFigures() []bar.Figure {
	return []bar.Figure{
		{Name: "live bytes a key/n=2^20", Unit: "B", Limit: 41, Measure: func() float64 { return bytesAKey(filled) }},
		{Name: "live bytes a key/n=2^20 of sethvargo's", Unit: "", Limit: 0.35, Measure: func() float64 {
			letGo()
			return bytesAKey(filled) / bytesAKey(func() any { return third() })
		}},
		{Name: "runtime.GC with 4 M keys of that with map[string]*rate.Limiter", Unit: "", Limit: 0.1, Measure: func() float64 {
			letGo()
			return collections()
		}},
		{Name: "denied: what all cores gain over one, of what they gain by reading the clock", Unit: "", Limit: 0.9, AtLeast: true, Measure: scaling},
	}
}

func filled() any {
	k := keyed()
	fill(k.AllowString)
	return k
}

func bytesAKey(build func() any) float64 {
	names()
	return float64(testkit.LiveBytes(build)) / clients
}

// collections compares full collections, the fastest of five.
func collections() float64 {
	const n = 4 << 20
	fastest := func() float64 {
		best := time.Hour
		for range 5 {
			start := time.Now()
			runtime.GC()
			best = min(best, time.Since(start))
		}
		return float64(best)
	}
	k := keyed()
	for i := range n {
		k.AllowHash(uint64(i))
	}
	mine := fastest()
	runtime.KeepAlive(k)
	m := make(map[string]*rate.Limiter)
	for i := range n {
		m[fmt.Sprintf("client-%09d", i)] = rate.NewLimiter(rate.Every(time.Hour), plenty)
	}
	theirs := fastest()
	runtime.KeepAlive(m)
	return mine / theirs
}

// scaling compares what all cores gain over one with what they gain in a loop that
// only reads the clock: on a shared machine, no loop gains as much as there are cores.
func scaling() float64 {
	const n = 1 << 20
	l := denied()
	refusals, readings := [2]time.Duration{time.Hour, time.Hour}, [2]time.Duration{time.Hour, time.Hour}
	start := time.Now()
	for range 21 {
		race(&refusals, func() { spend(l, n) })
		race(&readings, func() {
			for range n {
				if time.Since(start) < 0 {
					panic("time goes back")
				}
			}
		})
	}
	return float64(refusals[0]) / float64(refusals[1]) / (float64(readings[0]) / float64(readings[1]))
}

// race keeps the fastest times of work on one core and on each of all.
func race(best *[2]time.Duration, work func()) {
	start := time.Now()
	work()
	best[0] = min(best[0], time.Since(start))
	start = time.Now()
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(work)
	}
	group.Wait()
	best[1] = min(best[1], time.Since(start))
}

func spend(l *ratelimit.Limiter, n int) {
	for range n {
		if l.Allow() {
			panic("a drained limiter allows")
		}
	}
}
