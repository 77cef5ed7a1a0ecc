package ratelimit

// request is one question to a key of a [Keyed], or to several limits at once.
type request struct {
	want want
	now  int64
	n    int64
	last int64 // reserving: the last instant that will do
}

type want uint8

const (
	wantAll     want = iota // all n or nothing
	wantPass                // the same, without figures
	wantUpTo                // as many of n as there are
	wantTurn                // all n, now or when they are due
	wantNothing             // the state
)

// answer is what a request gets.
type answer struct {
	Result        // not for wantTurn
	granted int64 // wantUpTo
	act     int64 // wantTurn: when n may pass
	ok      bool  // something passes
	full    bool  // refused, for there was no place for another key
	era     uint64
}

// charges reports whether it changed the words that it was asked of, but for those of
// unlimited rules.
func (a *answer) charges(q request) bool { return a.ok && q.want != wantNothing && q.n > 0 }

// serve answers q for a limiter whose word is v, and returns its next word.
func (r *rule) serve(v int64, q request) (word int64, a answer) {
	switch q.want {
	case wantPass:
		if word, a.ok = r.step(v, q.now, q.n); !a.ok {
			word = v
		}
		return word, a
	case wantNothing:
		a.Result = r.peek(v, q.now)
		return v, a
	case wantTurn:
		if word, a.act, a.ok = r.reserve(v, q.now, q.n, q.last); !a.ok {
			word = v
		}
		return word, a
	case wantUpTo:
		if q.n > 0 {
			a.granted = min(q.n, r.free(v, q.now))
			q.n = max(1, a.granted)
		}
	}
	if word, a.ok = r.step(v, q.now, q.n); !a.ok {
		a.Result = r.refusal(v, q.now, q.n)
		return v, a
	}
	a.Result = r.result(word, q.now)
	return word, a
}

// serveAll answers q for several rules at once: all pass, and words is raised, or
// none. Nothing is promised for later: wantTurn is OK for what passes now.
func serveAll(rules []rule, words []int64, q request) answer {
	if len(rules) == 1 {
		var a answer
		words[0], a = rules[0].serve(words[0], q)
		return a
	}
	a := answer{ok: true, act: q.now}
	if q.want == wantUpTo && q.n > 0 {
		a.granted = q.n
		for i := range rules {
			a.granted = min(a.granted, rules[i].free(words[i], q.now))
		}
		q.n = max(1, a.granted)
	}
	asked := q.n
	if q.want == wantNothing {
		asked = 1
	}
	for i := range rules {
		r := &rules[i]
		if _, ok := r.step(words[i], q.now, asked); ok {
			continue
		}
		if b := r.refusal(words[i], q.now, asked); a.ok || b.RetryAfter > a.RetryAfter {
			a.Result, a.ok = b, false
			a.Index = i
		}
	}
	if !a.ok {
		return a
	}
	for i := range rules {
		r := &rules[i]
		if q.want != wantNothing {
			words[i], _ = r.step(words[i], q.now, q.n)
		}
		if b := r.result(words[i], q.now); i == 0 || b.Remaining < a.Remaining {
			a.Result = b
			a.Index = i
		}
	}
	return a
}
