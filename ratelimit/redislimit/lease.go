package redislimit

import (
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// lease is what this server took of a key in advance, and how much the key is asked
// for here.
type lease struct {
	tokens int64 // left to spend
	ends   int64 // when they lapse, microseconds
	asking bool  // for more; nobody else does
	taken  int64 // when the result was had
	result ratelimit.Result

	since         int64 // when the present span of counting began
	asked, before int64 // events asked for in it, and in the one before
}

// leases are the leases of one server. Of each key it holds at most size events, and
// those not longer than ttl: what is taken is charged in the store at once, so all that
// leasing can add to what passes in a span of time is what was held at its beginning.
type leases struct {
	size int64
	ttl  int64 // microseconds
	keys recent[*lease]
}

func newLeases(size int64, ttl time.Duration) *leases {
	return &leases{size: size, ttl: ttl.Microseconds(), keys: recent[*lease]{span: ttl.Microseconds()}}
}

// spend answers for n events of the key of h if they have been taken already.
func (l *leases) spend(h uint64, n, now int64) (r ratelimit.Result, ok bool) {
	g := l.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	v, _ := g.get(h)
	if v == nil {
		v = &lease{since: now}
	}
	g.put(h, v, now, l.ttl)
	v.count(n, now, l.ttl)
	if now >= v.ends {
		v.tokens = 0
	}
	if v.tokens < n {
		return ratelimit.Result{}, false
	}
	v.tokens -= n
	g.hits++
	return v.answer(now), true
}

// ask returns how many events of the key of h to take beyond n: as many as were asked
// for in this span of ttl or the one before, at most size, and none while another call
// asks. If any, settle must follow.
func (l *leases) ask(h uint64, n int64) int64 {
	g := l.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	v, _ := g.get(h)
	if v == nil || v.asking {
		return 0
	}
	more := max(0, min(l.size, max(v.asked, v.before)-n))
	v.asking = more > 0
	return more
}

// count adds n events to those that were asked for.
func (v *lease) count(n, now, span int64) {
	if age := now - v.since; age >= span {
		if v.before = v.asked; age >= 2*span {
			v.before = 0
		}
		v.asked, v.since = 0, now
	}
	v.asked += n
}

// answer is what the store said last, with what is left here.
func (v *lease) answer(now int64) ratelimit.Result {
	r := v.result
	r.Remaining += v.tokens
	r.ResetAfter = max(0, r.ResetAfter-time.Duration(now-v.taken)*time.Microsecond)
	return r
}

// settle puts n events, which the store charged at start or later, where spend finds
// them, or none. They take the place of a rest that was too small for a request.
func (l *leases) settle(h uint64, n int64, r ratelimit.Result, start int64) {
	g := l.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	v, _ := g.get(h)
	if v == nil {
		return // forgotten: they lapse
	}
	v.asking = false
	if n > 0 {
		v.tokens, v.ends, v.taken, v.result = n, start+l.ttl, start, r
	}
}

func (l *leases) forget(h uint64) {
	g := l.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	g.drop(h)
}
