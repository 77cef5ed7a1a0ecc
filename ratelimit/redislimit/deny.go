package redislimit

import "github.com/distkit/distkit/ratelimit"

// denial is that a key was refused: by which limit, and when that bucket is full
// again on the local clock, in microseconds, as early and as late as it can be. The
// store said how far ahead that is at some instant between the start of the trip and
// its end.
//
// A debt only falls by time, so what it refuses is refused: until the debt is small
// enough, there is no need to ask the store. It is asked once a second all the same,
// in case somebody reset the key.
type denial struct {
	quota       int32
	start       int64
	early, late int64
}

const denialSpan = 1_000_000 // µs

type denials struct {
	rules *rules
	keys  recent[denial]
}

func newDenials(r *rules) *denials { return &denials{rules: r, keys: recent[denial]{span: denialSpan}} }

// note remembers that the key of h was refused with these debts, on a trip between
// two instants.
func (d *denials) note(h uint64, debts []span, n, start, end int64) {
	if !d.rules.charges(n) {
		return
	}
	worst := 0
	for i := range debts {
		q, w := &d.rules.quotas[i], &d.rules.quotas[worst]
		if q.retry(debts[i], n) > w.retry(debts[worst], n) {
			worst = i
		}
	}
	g := d.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	at := debts[worst].whole
	g.put(h, denial{quota: int32(worst), start: start, early: start + at, late: end + at + 1}, end, denialSpan)
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
	q := &d.rules.quotas[v.quota]
	drift := (now - v.start) >> 10 // the clocks differ by less than a thousandth
	if q.retry(span{whole: max(0, v.early-now-drift)}, n) == 0 {
		return ratelimit.Result{}, false
	}
	g.hits++
	r := q.result(span{whole: v.late - now}, n, false)
	r.Index = d.rules.index[v.quota]
	return r, true
}

func (d *denials) forget(h uint64) {
	g := d.keys.shard(h)
	g.Lock()
	defer g.Unlock()
	g.drop(h)
}
