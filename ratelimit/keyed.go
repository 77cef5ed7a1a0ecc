package ratelimit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Keyed holds one limit, or several, for every key: a client, an account, an
// address. Keys that were never seen have all of their limit.
//
// It needs no cleaning: its memory follows the keys that are in debt, that is,
// those of which less than the whole limit is left. The place of any other may be
// taken over, which forgives nothing, since nothing is known about it. So a flood
// of keys neither fills the memory for longer than its debts last, nor frees
// anybody of theirs, as it does where the least recent key is evicted. A key takes
// 16 bytes, 8 more for every further limit, in a table that is a quarter to half
// full.
//
// Keys are looked up without a lock, and decisions are those of [Limiter]; those
// on several limits take a lock of 64 when they admit. New keys take a lock of 64
// too, and one of them in many pays for a table of another size.
//
// Keys given as bytes or strings are hashed under a seed of this Keyed, so that
// nobody can send one that collides with another's. AllowHash, TakeHash and
// KeyHash take a hash that the caller brings, such as distkit.Hash, as the key's
// identity: a key space of its own, for keys that strangers do not choose.
//
// It may be used by any number of goroutines at once and must not be copied.
// Decisions allocate nothing, but for growing. Make it with NewKeyed: a zero Keyed
// has no limit, and deciding with it panics.
type Keyed struct {
	table  atomic.Pointer[table]
	hash   hasher
	clock  clock
	alg    Algorithm
	align  int64
	multi  bool
	cap    int // most keys, 0 for any number
	full   FullPolicy
	resets atomic.Uint64 // what was reserved before one is not given back
	stats  counters

	// Locks are taken in this order, stripes by ascending index.
	resize sync.Mutex // held while the table is replaced
	stripe [stripes]struct {
		sync.Mutex
		_ [56]byte
	}
}

// FullPolicy is what happens to a new key when there are as many keys as
// WithMaxKeys allows, and all are in debt.
type FullPolicy uint8

const (
	// RefuseNew refuses it, until a key's debt is gone: no debt is forgiven, and
	// a flood of keys locks newcomers out.
	RefuseNew FullPolicy = iota
	// AdmitNew lets it pass and does not remember it: a flood of keys frees
	// newcomers from the limit.
	AdmitNew
	// EvictLeastDebt forgives the key with the least debt among its neighbors,
	// and takes its place.
	EvictLeastDebt
)

// String returns the policy's name, as in "refuse new".
func (p FullPolicy) String() string {
	names := [...]string{"refuse new", "admit new", "evict least debt"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("full policy %d", uint8(p))
}

const keyedOptions = optAlgorithm | optAlign | optClock | optMaxKeys | optFull | optSecret

// NewKeyed returns a limiter that holds limit for every key. The errors are those
// of New. Options: WithAlgorithm, WithAlign, WithClock, WithMaxKeys, WithFull,
// WithSecret.
func NewKeyed(limit Limit, opts ...Option) (*Keyed, error) {
	return newKeyed("NewKeyed", []Limit{limit}, opts)
}

// NewKeyedMulti returns a limiter that holds all limits, 1 to 16, for every key: n
// events pass if they pass all of them, as with [Multi]. Options are NewKeyed's.
func NewKeyedMulti(limits []Limit, opts ...Option) (*Keyed, error) {
	k, err := newKeyed("NewKeyedMulti", limits, opts)
	if err != nil {
		return nil, err
	}
	k.multi = true
	return k, nil
}

func newKeyed(constructor string, limits []Limit, opts []Option) (*Keyed, error) {
	c, err := newConfig(constructor, keyedOptions, opts)
	if err != nil {
		return nil, err
	}
	k := &Keyed{
		hash: newHasher(c.secret), clock: newClock(c.clock), alg: c.algorithm, align: instant(c.align),
		cap: c.maxKeys, full: c.full,
	}
	rules, err := newRules(limits, k.alg, k.align)
	if err != nil {
		return nil, err
	}
	k.table.Store(newTable(rules, slotsPerGroup))
	return k, nil
}

func newRules(limits []Limit, a Algorithm, aligned int64) ([]rule, error) {
	if len(limits) < 1 || len(limits) > maxLimits {
		return nil, fmt.Errorf("ratelimit: number of limits is %d, want 1 to %d", len(limits), maxLimits)
	}
	var rules []rule
	for i, l := range limits {
		r, err := newRule(l, a, aligned)
		if err == nil && r.kind == kindWide {
			err = fmt.Errorf("%w: events of %v is %d, want at most as many as fit a word with those of the window before", ErrInvalidLimit, l, l.Events)
		}
		if err != nil && len(limits) > 1 {
			err = fmt.Errorf("%w (limit %d of %d)", err, i+1, len(limits))
		}
		if err != nil {
			return nil, err
		}
		rules = append(rules, *r)
	}
	return rules, nil
}

func (k *Keyed) load() *table {
	t := k.table.Load()
	if t == nil {
		panic("ratelimit: a zero Keyed has no limit; make one with NewKeyed")
	}
	return t
}

// Allow reports whether one event of key may pass now, and charges it if so.
func (k *Keyed) Allow(key []byte) bool {
	k.load()
	return k.allow(k.hash.bytes(key), k.clock.now(), 1)
}

// AllowString is Allow for a string.
func (k *Keyed) AllowString(key string) bool {
	k.load()
	return k.allow(k.hash.string(key), k.clock.now(), 1)
}

// AllowHash is Allow for the key that h identifies: a hash of trusted keys, or any
// other 64-bit value that differs for different keys. Such keys are apart from
// those given as bytes or strings.
func (k *Keyed) AllowHash(h uint64) bool { return k.allow(k.hash.hash(h), k.clock.now(), 1) }

// Take decides on n events of key, all or none, with an answer that has figures.
func (k *Keyed) Take(key []byte, n int64) Result { return k.Key(key).Take(n) }

// TakeAt is Take at the given instant.
func (k *Keyed) TakeAt(now time.Time, key []byte, n int64) Result { return k.Key(key).TakeAt(now, n) }

// TakeString is Take for a string.
func (k *Keyed) TakeString(key string, n int64) Result { return k.KeyString(key).Take(n) }

// TakeHash is Take for the key that h identifies, see AllowHash.
func (k *Keyed) TakeHash(h uint64, n int64) Result { return k.KeyHash(h).Take(n) }

// Wait waits until n events of key may pass and charges them, as Limiter's WaitN.
func (k *Keyed) Wait(ctx context.Context, key []byte, n int64) error {
	return k.Key(key).WaitN(ctx, n)
}

// WaitString is Wait for a string.
func (k *Keyed) WaitString(ctx context.Context, key string, n int64) error {
	return k.KeyString(key).WaitN(ctx, n)
}

// Decide is TakeString, as [Decider] wants it: ctx is not used, and the error is
// always nil.
func (k *Keyed) Decide(ctx context.Context, key string, n int64) (Result, error) {
	return k.TakeString(key, n), nil
}

// Limits returns the limits, their bursts spelled out, in the order of
// [Result.Index]. A zero Keyed has none.
func (k *Keyed) Limits() []Limit {
	t := k.table.Load()
	if t == nil {
		return nil
	}
	return limitsOf(t.rules)
}

// Reset forgives key its debt. What was reserved before, for whichever key, is
// not given back by Cancel any more.
func (k *Keyed) Reset(key []byte) { k.Key(key).Reset() }

// allow is the way of most decisions: look up, decide, swap.
func (k *Keyed) allow(h uint64, now, n int64) bool {
	t, q := k.load(), request{want: wantPass, now: now, n: n}
	at := t.find(h)
	if at < 0 {
		return k.serveNew(h, q).ok
	}
	if len(t.rules) == 1 {
		word := &t.cells[at+1]
		for v := word.Load(); v != frozen && uint64(t.cells[at].Load()) == h; v = word.Load() {
			w, ok := t.rules[0].step(v, now, n)
			if !ok {
				return false
			}
			if w == v || word.CompareAndSwap(v, w) {
				return true
			}
		}
	}
	return k.serve(h, q).ok
}

// serve answers q for the key of h.
func (k *Keyed) serve(h uint64, q request) answer {
	t := k.load()
	if at := t.find(h); at >= 0 {
		if a, ok := t.serveFound(at, h, q); ok {
			return a
		}
	}
	return k.serveNew(h, q)
}

// serveNew answers q for a key that is probably not in the table.
func (k *Keyed) serveNew(h uint64, q request) answer {
	for {
		if a, ok := k.serveLocked(k.load(), h, q); ok {
			return a
		}
	}
}

// serveFound answers q without a lock for a key that was found at a slot, if it is
// still there.
func (t *table) serveFound(at int, h uint64, q request) (a answer, ok bool) {
	if len(t.rules) > 1 {
		return t.refuseFound(at, h, q)
	}
	word := &t.cells[at+1]
	for v := word.Load(); v != frozen && uint64(t.cells[at].Load()) == h; v = word.Load() {
		var w int64
		if w, a = t.rules[0].serve(v, q); w == v || word.CompareAndSwap(v, w) {
			return a, true
		}
	}
	return a, false
}

// refuseFound is serveFound for several rules, and only for an answer that charges
// nothing: any that refuses at some instant is valid, and to admit takes all of them
// at one instant.
func (t *table) refuseFound(at int, h uint64, q request) (a answer, ok bool) {
	var buf [maxLimits]int64
	words := buf[:len(t.rules)]
	if !t.read(at, h, words) {
		return a, false
	}
	a = serveAll(t.rules, words, q)
	return a, !a.charges(q)
}

// lock takes the lock of the groups of h, for the caller to release.
func (k *Keyed) lock(t *table, h uint64) *sync.Mutex {
	m := &k.stripe[h&t.shared].Mutex
	m.Lock()
	return m
}

// serveLocked answers q under the lock of its key's groups, making a place for
// the key if it needs one. It is to be repeated if it is not ok.
func (k *Keyed) serveLocked(t *table, h uint64, q request) (a answer, ok bool) {
	stripe := k.lock(t, h)
	if k.table.Load() != t {
		stripe.Unlock()
		return a, false
	}
	var buf [maxLimits]int64
	words := buf[:len(t.rules)]
	place := held
	if at := t.find(h); at >= 0 {
		a = t.serveHeld(at, h, words, q)
	} else {
		t.start(h, words)
		v := words[0]
		a = serveAll(t.rules, words, q)
		if words[0] != v || len(words) > 1 && a.charges(q) {
			place = k.insert(t, h, words, q.now)
		}
	}
	stripe.Unlock()
	switch place {
	case held, placed:
		return a, true
	case due:
		k.tend(t, q.now)
		return a, true
	case crowded:
		k.replace(t, nil, q.now, 2*t.slots())
		return a, false
	}
	return k.atCap(t, h, words, q, a)
}

// serveHeld answers q for the key at a slot, under the lock of its group: nobody
// else can freeze its word.
func (t *table) serveHeld(at int, h uint64, words []int64, q request) answer {
	for {
		t.read(at, h, words)
		v := words[0]
		a := serveAll(t.rules, words, q)
		if words[0] == v || t.cells[at+1].CompareAndSwap(v, words[0]) {
			for i := 1; i < len(words); i++ {
				t.cells[at+1+i].Store(words[i])
			}
			return a
		}
	}
}
