package gateway

import (
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/distkit/distkit/ring"
)

// placed finds a backend by a hash, the same one in every gateway: when one dies, its
// keys are spread over the others, and those of the others stay.
type placed struct {
	nodes *ring.Rendezvous
	by    map[string]*backend
}

func place(backends []*backend) placed {
	p := placed{by: map[string]*backend{}}
	var nodes []ring.Node
	for _, b := range backends {
		nodes = append(nodes, ring.Node{ID: b.name, Weight: float64(b.weight)})
		p.by[b.name] = b
	}
	var err error
	if p.nodes, err = ring.NewRendezvous(nodes); err != nil {
		panic(err) // names are unique and not empty, weights are 1 to 1000
	}
	return p
}

// ipHash gives all requests of a client to one backend, for what that keeps about it.
type ipHash struct {
	live   atomic.Pointer[placed]
	client httplimit.KeyFunc
}

func newIPHash(trust []netip.Prefix) *ipHash { return &ipHash{client: httplimit.KeyByIP(trust...)} }

func (x *ipHash) alive(backends []*backend) {
	p := place(backends)
	x.live.Store(&p)
}

func (x *ipHash) acquire(r *http.Request) (*backend, func()) {
	client, err := x.client(r)
	if err != nil { // a proxy that sends nonsense is one client
		client = r.RemoteAddr
	}
	p := x.live.Load()
	id, _ := p.nodes.OwnerString(client)
	return p.by[id], nothing
}

// loadFactor is how much more than its share a backend of the bounded balancer has
// under way, at most.
const loadFactor = 1.25

// bounded gives all requests of a path to one backend, whose caches know it, but none
// more than its share of what is under way, and a quarter: a path that everybody wants
// is served by as many backends as it takes.
type bounded struct {
	work *ring.Bounded
	live atomic.Pointer[placed]
}

func (x *bounded) alive(backends []*backend) {
	p := place(backends)
	x.live.Store(&p)
	if x.work != nil {
		x.work.SetLocator(p.nodes)
		return
	}
	var err error
	if x.work, err = ring.NewBounded(p.nodes, loadFactor); err != nil {
		panic(err) // the factor is above 1
	}
}

func (x *bounded) acquire(r *http.Request) (*backend, func()) {
	for {
		p := x.live.Load()
		lease, ok := x.work.Acquire(distkit.HashString(r.URL.Path))
		if !ok {
			return nil, nothing
		}
		if b := p.by[lease.Node().ID]; b != nil {
			return b, lease.Release
		}
		lease.Release() // the backends have changed in between
	}
}
