package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A balancer chooses who gets a request.
type balancer interface {
	// alive says which backends there are, in the order of the flags. It is called
	// before any acquire, and never twice at the same time.
	alive(backends []*backend)
	// acquire returns one of them, nil if there are none; the request is under way
	// there until release is called, once.
	acquire(r *http.Request) (b *backend, release func())
}

var balancers = map[string]func(trust []netip.Prefix) balancer{
	"roundrobin": func([]netip.Prefix) balancer { return &roundRobin{} },
	"weighted":   func([]netip.Prefix) balancer { return &weighted{} },
	"least":      func([]netip.Prefix) balancer { return &least{} },
	"iphash":     func(trust []netip.Prefix) balancer { return newIPHash(trust) },
	"bounded":    func([]netip.Prefix) balancer { return &bounded{} },
}

func balancerNames() []string { return slices.Sorted(maps.Keys(balancers)) }

func newBalancer(name string, trust []netip.Prefix) (balancer, error) {
	make, ok := balancers[name]
	if !ok {
		return nil, fmt.Errorf("-balance is %q, want %s", name, strings.Join(balancerNames(), ", "))
	}
	return make(trust), nil
}

func nothing() {}

// roundRobin gives every backend its turn.
type roundRobin struct {
	live atomic.Pointer[[]*backend]
	next atomic.Uint64
}

func (x *roundRobin) alive(backends []*backend) { x.live.Store(&backends) }

func (x *roundRobin) acquire(*http.Request) (*backend, func()) {
	live := *x.live.Load()
	if len(live) == 0 {
		return nil, nothing
	}
	return live[(x.next.Add(1)-1)%uint64(len(live))], nothing
}

// weighted gives every backend as many turns as it has weight, as far apart as can be:
// each gains its weight in every round, the richest has its turn and pays for all.
// (nginx calls it smooth weighted round-robin.)
type weighted struct {
	mu   sync.Mutex
	live []*backend
}

// alive begins a new cycle: what who has left had gained would otherwise be missing.
func (x *weighted) alive(backends []*backend) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.live = backends
	for _, b := range backends {
		b.current = 0
	}
}

func (x *weighted) acquire(*http.Request) (best *backend, release func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	total := 0
	for _, b := range x.live {
		total += b.weight
		if b.current += b.weight; best == nil || b.current > best.current {
			best = b
		}
	}
	if best != nil {
		best.current -= total
	}
	return best, nothing
}

// least gives a request to who has the fewest under way for its weight. Of several it
// is the one after the last, so that an idle gateway does not load the first.
type least struct {
	mu   sync.Mutex
	live []*backend
	next int
}

func (x *least) alive(backends []*backend) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.live, x.next = backends, 0
}

func (x *least) acquire(*http.Request) (best *backend, release func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at := 0
	for i := range x.live {
		j := (x.next + i) % len(x.live)
		if b := x.live[j]; best == nil || b.busy.Load()*int64(best.weight) < best.busy.Load()*int64(b.weight) {
			best, at = b, j
		}
	}
	if best == nil {
		return nil, nothing
	}
	x.next = at + 1
	best.busy.Add(1)
	return best, func() { best.busy.Add(-1) }
}
