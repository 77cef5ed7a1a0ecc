package redislimit

import (
	"fmt"
	"math"

	"github.com/distkit/distkit/ratelimit"
)

// maxLimits is what ratelimit.NewMulti takes.
const maxLimits = 16

// rules are the limits of a limiter.
type rules struct {
	limits []ratelimit.Limit
	quotas []quota // of those limits that limit something
	index  []int   // of a quota, in limits
	most   int64   // that can pass at once
}

func newRules(limits []ratelimit.Limit) (*rules, error) {
	valid, err := ratelimit.NewMulti(limits)
	if err != nil {
		return nil, fmt.Errorf("redislimit: %w", err)
	}
	r := &rules{limits: valid.Limits(), most: math.MaxInt64}
	for i, l := range r.limits {
		if l == ratelimit.Unlimited {
			continue
		}
		q, err := newQuota(l)
		if err != nil && len(limits) > 1 {
			err = fmt.Errorf("%w (limit %d of %d)", err, i+1, len(limits))
		}
		if err != nil {
			return nil, err
		}
		r.quotas = append(r.quotas, q)
		r.index = append(r.index, i)
		r.most = min(r.most, l.Burst)
	}
	return r, nil
}

// charges reports whether n events can change the state of a key at all.
func (r *rules) charges(n int64) bool { return n >= 1 && n <= r.most }

// decide answers for n events of a key with these debts, and adds to the debts what
// passes. The script does the same: charges pass if they pass all limits.
func (r *rules) decide(debts []span, n int64) ratelimit.Result {
	allowed := n == 0
	if r.charges(n) {
		allowed = r.charge(debts, n)
	}
	var binding ratelimit.Result
	for i := range r.quotas {
		q := &r.quotas[i]
		if !allowed && r.passes(q, debts[i], n) {
			continue
		}
		a := q.result(debts[i], n, allowed)
		if binding.Limit == 0 || allowed && a.Remaining < binding.Remaining || !allowed && a.RetryAfter > binding.RetryAfter {
			binding = a
			binding.Index = r.index[i]
		}
	}
	return binding
}

func (r *rules) passes(q *quota, debt span, n int64) bool {
	return n >= 0 && n <= q.limit.Burst && q.retry(debt, n) == 0
}

// charge adds n events to debts, all or none, and reports whether they pass.
func (r *rules) charge(debts []span, n int64) bool {
	for i := range r.quotas {
		if _, ok := r.quotas[i].charge(debts[i], n); !ok {
			return false
		}
	}
	for i := range r.quotas {
		debts[i], _ = r.quotas[i].charge(debts[i], n)
	}
	return true
}

// unlimited answers for limits that limit nothing.
func (r *rules) unlimited(n int64) ratelimit.Result {
	a := ratelimit.Result{Allowed: n >= 0, Limit: math.MaxInt64, Remaining: math.MaxInt64}
	if !a.Allowed {
		a.RetryAfter = ratelimit.InfDuration
	}
	return a
}
