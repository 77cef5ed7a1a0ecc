package ratelimit

import (
	"cmp"
	"errors"
	"io"
	"math"
	"time"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// ErrCorrupt is wrapped by every error about bytes that are no sound snapshot. All
// packages of distkit share this one value.
var ErrCorrupt = codec.ErrCorrupt

// ErrIncompatible is wrapped by what ReadFrom returns for a sound snapshot that the
// receiver must not take. All packages of distkit share this one value.
var ErrIncompatible = codec.ErrIncompatible

const (
	imageVersion = 0
	imageParams  = 3 // check value of the secret, algorithm, number of limits
	limitWords   = 3 // events, period, burst
)

// WriteTo writes a snapshot of the keys in debt, for ReadFrom to restore in another
// process: so a restart forgives nobody. Debts are written as the time that is left
// of them, since no two processes share a clock; the time between both calls does not
// shorten them. Keys are written as their hashes under the secret of WithSecret,
// without which it is an error. The format is in the package's comment.
//
// Decisions go on meanwhile. It takes memory for all debtors, some 50 bytes each.
func (k *Keyed) WriteTo(w io.Writer) (int64, error) {
	if k.hash.secret == nil {
		return 0, errors.New("ratelimit: snapshots need WithSecret: other hashes mean nothing in another process")
	}
	now := k.clock.now()
	rules, debts := k.debts(now)
	h := codec.Header{
		Kind: codec.LimitKeyed, Version: imageVersion, Align: 3,
		Params: []uint64{hash64.Check(k.hash.secret), uint64(k.alg), uint64(len(rules))},
	}
	words := make([]uint64, 0, limitWords*len(rules)+len(debts))
	for i := range rules {
		l := rules[i].limit
		words = append(words, uint64(l.Events), uint64(l.Period), uint64(l.Burst))
	}
	for i, word := range debts {
		if j := i % (1 + len(rules)); j > 0 {
			word = rules[j-1].debt(word, now)
		}
		words = append(words, uint64(word))
	}
	e, err := codec.NewWriter(w, h, 8*len(words))
	if err == nil {
		err = e.Words(words)
	}
	n, err2 := e.Close()
	return n, cmp.Or(err, err2)
}

// debt returns what a snapshot holds of the word v: nanoseconds until the bucket is
// full, no more than from an empty one, or the events that a window still counts.
func (r *rule) debt(v, now int64) int64 {
	if r.kind == kindBucket {
		return min(r.reset(v, now)-now, r.mostDebt())
	}
	return r.most - r.free(v, now)
}

// mostDebt is the largest value of debt.
func (r *rule) mostDebt() int64 {
	switch r.kind {
	case kindBucket:
		if r.mult == math.MaxUint64 {
			return max(1, r.when(r.burst-1)) // the clock is a unit late
		}
		return min(r.when(r.burst), horizon)
	case kindUnlimited:
		return 0
	}
	return r.most
}

// word returns the word of a debt at instant now.
func (r *rule) word(debt, now int64) int64 {
	switch {
	case debt == 0:
		return fresh
	case r.kind == kindBucket:
		return r.clock(now) + min(r.clock(debt), r.burst)
	}
	return r.pack(window{index: (now + r.phase) / int64(r.limit.Period), cur: debt})
}

// ReadFrom replaces all debts by those of a snapshot. The receiver keeps what NewKeyed
// was given: debts are converted to its limits as by SetLimit. Whatever a snapshot
// says, no key owes more than a burst: the worst that a forged one can do is refuse.
//
// The error wraps [ErrCorrupt] if the bytes are no snapshot, and [ErrIncompatible]
// if they are one of another secret, algorithm or number of limits, of more keys than
// WithMaxKeys, or if the receiver has no secret. Then nothing has changed. It takes
// exactly one snapshot from r, and memory in proportion to what has arrived.
func (k *Keyed) ReadFrom(r io.Reader) (int64, error) {
	if k.hash.secret == nil {
		return 0, codec.Incompatible("ratelimit", "snapshots need WithSecret, receiver has none")
	}
	d, h, err := codec.NewReader(r, codec.LimitKeyed, imageVersion)
	if err == nil {
		err = acceptHeader(h, uint64(d.Len()))
	}
	var words []uint64
	if err == nil {
		words, err = d.Words(nil)
	}
	if err == nil {
		err = d.Close()
	}
	if err == nil {
		err = k.acceptParams(h)
	}
	if err == nil {
		err = k.restore(words, int(h.Params[2]))
	}
	return d.Count(), err
}

func acceptHeader(h codec.Header, payload uint64) error {
	if err := h.Check(0, imageParams, 3); err != nil {
		return err
	}
	limits := h.Params[2]
	switch {
	case h.Params[1] > uint64(SlidingWindow):
		return corrupt("algorithm is %d, want at most %d", h.Params[1], SlidingWindow)
	case limits < 1 || limits > maxLimits:
		return corrupt("number of limits is %d, want 1 to %d", limits, maxLimits)
	case payload < 8*limitWords*limits || (payload-8*limitWords*limits)%(8+8*limits) != 0:
		return corrupt("payload has %d bytes, want %d and whole records of %d", payload, 8*limitWords*limits, 8+8*limits)
	}
	return nil
}

func corrupt(format string, args ...any) error {
	return codec.Corrupt(codec.LimitKeyed, format, args...)
}

// acceptParams compares a sound header with the receiver.
func (k *Keyed) acceptParams(h codec.Header) error {
	limits := len(k.load().rules)
	switch {
	case h.Params[0] != hash64.Check(k.hash.secret):
		return codec.Incompatible("ratelimit", "snapshot was made under another secret")
	case h.Params[1] != uint64(k.alg):
		return codec.Incompatible("ratelimit", "snapshot is of a %v, receiver of a %v", Algorithm(h.Params[1]), k.alg)
	case h.Params[2] != uint64(limits):
		return codec.Incompatible("ratelimit", "snapshot has %d limits, receiver %d", h.Params[2], limits)
	}
	return nil
}

// restore checks the payload and replaces the table.
func (k *Keyed) restore(words []uint64, limits int) error {
	var theirs []rule
	for i := range limits {
		w := words[limitWords*i:]
		l := Limit{int64(w[0]), time.Duration(w[1]), int64(w[2])}
		r, err := newRule(l, k.alg, k.align)
		if err != nil {
			return corrupt("limit %d of %d: %v", i+1, limits, err)
		}
		if r.limit != l {
			return corrupt("burst of limit %d of %d is 0, want it spelled out", i+1, limits)
		}
		theirs = append(theirs, *r)
	}
	records := words[limitWords*limits:]
	if err := checkRecords(theirs, records); err != nil {
		return err
	}
	if keys := len(records) / (1 + limits); k.cap > 0 && keys > k.cap {
		return codec.Incompatible("ratelimit", "snapshot has %d keys, limit of WithMaxKeys is %d", keys, k.cap)
	}
	k.install(theirs, records)
	return nil
}

// checkRecords wants hashes ascending, and debts within bounds of which one is not 0.
func checkRecords(rules []rule, records []uint64) error {
	size := 1 + len(rules)
	for i := 0; i < len(records); i += size {
		switch {
		case records[i] == 0:
			return corrupt("key %d is 0", i/size)
		case i > 0 && records[i] <= records[i-size]:
			return corrupt("key %d is not above the one before", i/size)
		}
		owes := false
		for j, debt := range records[i+1 : i+size] {
			if most := rules[j].mostDebt(); debt > uint64(most) {
				return corrupt("debt of key %d is %d, want at most %d", i/size, debt, most)
			}
			owes = owes || debt > 0
		}
		if !owes {
			return corrupt("key %d owes nothing", i/size)
		}
	}
	return nil
}

// install replaces the table by one of records that are sound.
func (k *Keyed) install(theirs []rule, records []uint64) {
	defer k.lockAll()()
	t, now := k.load(), k.clock.now()
	size := 1 + len(theirs)
	next := newTable(t.rules, slotsFor(len(records)/size+1))
	words := make([]int64, len(theirs))
	for i := 0; i < len(records); i += size {
		owes := false
		for j := range words {
			v := theirs[j].word(int64(records[i+1+j]), now)
			words[j] = t.rules[j].convertDebt(&theirs[j], v, now)
			owes = owes || words[j] != fresh
		}
		if owes {
			next = next.with(records[i], words)
		}
	}
	for at := 0; at < len(t.cells); at += t.stride {
		if t.cells[at].Load() != 0 {
			t.cells[at+1].Store(frozen)
		}
	}
	if k.cap > 0 {
		next.earliest.Store(next.firstReset(now))
	}
	k.resets.Add(1)
	k.table.Store(next)
	k.stats.resized.Add(1)
}
