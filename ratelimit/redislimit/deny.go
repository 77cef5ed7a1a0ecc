package redislimit

import (
	"slices"

	"github.com/distkit/distkit/ratelimit"
)

// denial is that a key was refused, with these debts at some instant between the start
// of a trip and its end, in microseconds of the local clock.
//
// A debt only falls by time, so what it refuses is refused: until the debt is small
// enough, there is no need to ask the store. It is asked once a second all the same,
// in case somebody reset the key.
type denial struct {
	start, end int64
	debts      []span
}

const denialSpan = 1_000_000 // µs

type denials struct {
	rules *rules
	keys  recent[denial]
}

func newDenials(r *rules) *denials { return &denials{rules: r, keys: recent[denial]{span: denialSpan}} }

// note remembers that n events of the key of h were refused on a trip.
func (d *denials) note(h uint64, debts []span, n, start, end int64) {
	if !d.rules.charges(n) {
		return
	}
	g := d.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	g.put(h, denial{start, end, slices.Clone(debts)}, end, denialSpan)
}

// refuse answers for n events of the key of h, if it is certain that they do not pass.
func (d *denials) refuse(h uint64, n, now int64) (ratelimit.Result, bool) {
	if !d.rules.charges(n) {
		return ratelimit.Result{}, false
	}
	g := d.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	v, ok := g.get(h)
	if !ok || now-v.start >= denialSpan {
		return ratelimit.Result{}, false
	}
	// The least that the debts can be now: the clocks differ by less than a thousandth.
	passed := now - v.start + (now-v.start)>>10
	certain := false
	var late [maxLimits]span // and the most, for the figures
	for i := range v.debts {
		least := span{whole: max(0, v.debts[i].whole-passed)}
		certain = certain || d.rules.quotas[i].retry(least, n) > 0
		late[i] = span{whole: max(0, v.debts[i].whole+1+v.end-now)}
	}
	if !certain {
		return ratelimit.Result{}, false
	}
	g.hits++
	return d.rules.decide(late[:len(v.debts)], n), true
}

func (d *denials) forget(h uint64) {
	g := d.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	g.drop(h)
}
