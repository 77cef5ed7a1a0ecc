package ratelimit

import (
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/distkit/distkit/ratelimit"
)

// The sequential model that concurrent histories are held to: what a limiter is, one
// operation after the other. Periods are powers of two, so that its units are halves of
// a nanosecond and nothing is rounded but what SetLimit converts.

// op is what a client asks. Instants are nanoseconds after the epoch.
type op struct {
	kind   opKind
	client int // who reserves, and cancels: one reservation each
	at, n  int64
	limit  ratelimit.Limit // to be set
	key    uint64          // of a Keyed
}

type opKind uint8

const (
	opTake opKind = iota
	opTakeUpTo
	opPeek
	opReserve
	opCancel
	opReset
	opSetLimit
	opKinds
)

// outcome is what it is told.
type outcome struct {
	result  ratelimit.Result
	granted int64
	ok      bool          // of opReserve
	delay   time.Duration // of opReserve
}

const modelClients = 4

// bucketState is a token bucket: the instant at which it is full again, in units.
type bucketState struct {
	limit    ratelimit.Limit
	full     int64
	era      int
	reserved [modelClients]struct {
		act, n int64 // act in nanoseconds
		era    int
	}
	keyed bool // a key without debt has all of a new limit
}

func newBucketState(limit ratelimit.Limit, keyed bool) bucketState {
	return bucketState{limit: limit, full: -1 << 40, keyed: keyed}
}

func (s *bucketState) token() int64 { return 2 * int64(s.limit.Period) / s.limit.Events }
func (s *bucketState) size() int64  { return s.token() * s.limit.Burst }
func (s *bucketState) left(at int64) int64 {
	return s.size() - max(0, s.full-2*at)
}

// nanoseconds returns u units, rounded up.
func nanoseconds(u int64) int64 { return (u + 1) / 2 }

// step takes one operation.
func (s bucketState) step(o op) (bucketState, outcome) {
	var out outcome
	switch o.kind {
	case opTake:
		out.result = s.take(o.at, o.n)
	case opTakeUpTo:
		out.granted = min(o.n, max(0, s.left(o.at))/s.token())
		out.result = s.take(o.at, max(1, out.granted))
	case opPeek:
		look := s
		if out.result = look.take(o.at, 1); out.result.Allowed {
			out.result = s.take(o.at, 0)
		}
	case opReserve:
		if out.ok = o.n <= s.limit.Burst; out.ok {
			s.full = max(s.full, 2*o.at) + o.n*s.token()
			act := max(o.at, nanoseconds(s.full-s.size()))
			out.delay = time.Duration(act - o.at)
			s.reserved[o.client].act, s.reserved[o.client].n, s.reserved[o.client].era = act, o.n, s.era
		}
	case opCancel:
		if r := s.reserved[o.client]; r.n > 0 && r.act >= o.at && r.era == s.era {
			later := max(0, s.full-s.size()-2*r.act)
			s.full -= max(0, r.n*s.token()-later)
		}
		s.reserved[o.client].n = 0
	case opReset:
		s.full = -1 << 40
		s.era++
	case opSetLimit:
		s.setLimit(o.at, o.limit)
	}
	return s, out
}

func (s *bucketState) take(at, n int64) ratelimit.Result {
	next := max(s.full, 2*at) + n*s.token()
	r := ratelimit.Result{Allowed: n <= s.limit.Burst && next-2*at <= s.size(), Limit: s.limit.Burst}
	switch {
	case r.Allowed && n > 0:
		s.full = next
	case n > s.limit.Burst:
		r.RetryAfter = ratelimit.InfDuration
	case !r.Allowed:
		r.RetryAfter = time.Duration(nanoseconds(next-s.size()) - at)
	}
	r.Remaining = max(0, s.left(at)) / s.token()
	r.ResetAfter = time.Duration(max(0, nanoseconds(s.full)-at))
	return r
}

// setLimit keeps the tokens, up to the new burst.
func (s *bucketState) setLimit(at int64, limit ratelimit.Limit) {
	left, token, lapsed := s.left(at), s.token(), s.full <= 2*at
	same := limit == s.limit
	s.limit = limit
	switch {
	case same:
	case lapsed && s.keyed:
		s.full = -1 << 40
	default:
		s.full = 2*at + s.size() - min(s.size(), floorDiv(left*s.token(), token))
	}
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// bucketModel judges histories of a token bucket, key by key. An operation that is of
// all keys is of each.
func bucketModel(limit ratelimit.Limit, keyed bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return newBucketState(limit, keyed) },
		Step: func(state, in, out any) (bool, any) {
			next, want := state.(bucketState).step(in.(op))
			return out.(outcome) == want, next
		},
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			by := map[uint64][]porcupine.Operation{}
			for _, o := range history {
				by[o.Input.(op).key] = nil
			}
			for key := range by {
				for _, o := range history {
					if in := o.Input.(op); in.key == key || in.kind == opSetLimit {
						by[key] = append(by[key], o)
					}
				}
			}
			var parts [][]porcupine.Operation
			for _, part := range by {
				parts = append(parts, part)
			}
			return parts
		},
	}
}

// windowState is a sliding window, or a fixed one, whose prev counts for nothing.
type windowState struct {
	limit            ratelimit.Limit
	sliding          bool
	index, prev, cur int64
}

func (s windowState) step(o op) (windowState, bool, int64) {
	period := int64(s.limit.Period)
	index, into := o.at/period, o.at%period
	switch {
	case index == s.index+1:
		s.index, s.prev, s.cur = index, s.cur, 0
	case index > s.index:
		s.index, s.prev, s.cur = index, 0, 0
	case index < s.index: // late: held to the beginning of the last
		into = 0
	}
	weighed := int64(0)
	if s.sliding {
		weighed = s.prev * (period - into)
	}
	ok := weighed+(s.cur+o.n)*period <= s.limit.Events*period
	if ok {
		s.cur += o.n
	}
	return s, ok, max(0, s.limit.Events-s.cur-(weighed+period-1)/period)
}

func windowModel(limit ratelimit.Limit, sliding bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return windowState{limit: limit, sliding: sliding, index: -2} },
		Step: func(state, in, out any) (bool, any) {
			next, ok, remaining := state.(windowState).step(in.(op))
			if !ok { // a refusal writes nothing, not even that time has passed
				next = state.(windowState)
			}
			r := out.(outcome).result
			return r.Allowed == ok && r.Remaining == remaining, next
		},
	}
}
