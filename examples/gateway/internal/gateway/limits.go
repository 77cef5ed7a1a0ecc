package gateway

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
)

// Store makes what counts for the rule of a name: in this process, or somewhere that
// several gateways share.
type Store func(rule string, limits []ratelimit.Limit) (ratelimit.Decider, error)

// Local counts in this process.
func Local(_ string, limits []ratelimit.Limit) (ratelimit.Decider, error) {
	if len(limits) == 1 {
		return ratelimit.NewKeyed(limits[0])
	}
	return ratelimit.NewKeyedMulti(limits)
}

// limits are the rules in force, in front of a handler.
type limits struct {
	store Store
	trust []netip.Prefix
	next  http.Handler
	now   atomic.Pointer[router]

	loading sync.Mutex
	live    map[string]*limit // by name
}

// limit is a rule and what it has made.
type limit struct {
	rule
	decider    ratelimit.Decider
	middleware *httplimit.Middleware
}

func newLimits(store Store, trust []netip.Prefix, next http.Handler) *limits {
	return &limits{store: store, trust: trust, next: next}
}

func (x *limits) ServeHTTP(w http.ResponseWriter, r *http.Request) { x.now.Load().ServeHTTP(w, r) }

func (x *limits) count() int {
	x.loading.Lock()
	defer x.loading.Unlock()
	return len(x.live)
}

// load puts rules into force, all or, if there is an error, none. What a rule has
// counted lives on while the rule is the same: all of it if nothing has changed, what
// clients owe if only the figures or the mode have, and nothing if it counts by
// something else now.
func (x *limits) load(text []byte) error {
	x.loading.Lock()
	defer x.loading.Unlock()
	rules, err := parseRules(text)
	if err != nil {
		return err
	}
	live := map[string]*limit{}
	var chain []*limit
	var changes []func() error
	for _, r := range rules {
		l, change, err := x.limit(r)
		if err != nil {
			return fmt.Errorf("rule %q: %w", r.Name, err)
		}
		if change != nil {
			changes = append(changes, change)
		}
		live[r.Name] = l
		chain = append(chain, l)
	}
	next, err := newRouter(chain, x.next)
	if err != nil {
		return err
	}
	for _, change := range changes { // of limits that have been found good
		if err := change(); err != nil {
			return err
		}
	}
	x.live = live
	x.now.Store(next)
	return nil
}

// limit returns what r is to be, and a change of what lives already that is to be made
// when the other rules are known to be good.
func (x *limits) limit(r rule) (_ *limit, change func() error, err error) {
	old := x.live[r.Name]
	if old != nil && old.rule == r {
		return old, nil, nil
	}
	limits, err := r.limits()
	if err != nil {
		return nil, nil, err
	}
	opts, err := r.mode()
	if err != nil {
		return nil, nil, err
	}
	key, err := keyFunc(r.Per, x.trust)
	if err != nil {
		return nil, nil, err
	}
	// A new one in any case: that it can be made says that the limits are good.
	l := &limit{rule: r}
	if l.decider, err = x.store(r.Name, limits); err != nil {
		return nil, nil, err
	}
	if old != nil && old.Per == r.Per {
		k, local := old.decider.(*ratelimit.Keyed)
		switch {
		case old.Limit == r.Limit:
			l.decider = old.decider
		case local && len(limits) == 1 && len(k.Limits()) == 1:
			l.decider, change = k, func() error { return k.SetLimit(limits[0]) }
		}
	}
	l.middleware, err = httplimit.New(l.decider, append(opts, httplimit.WithKey(key), httplimit.WithPolicy(r.names(len(limits))...))...)
	return l, change, err
}
