package ratelimit

import (
	"fmt"
	"time"
)

// Rule opens the units to the tests.
type Rule struct{ *rule }

// NewRule returns the rule of l under a, whose windows are aligned to the epoch.
func NewRule(l Limit, a Algorithm) (Rule, error) {
	r, err := newRule(l, a, instant(time.Unix(0, 0)))
	return Rule{r}, err
}

func (r Rule) Clock(now int64) int64 { return r.clock(now) }
func (r Rule) When(u int64) int64    { return r.when(u) }
func (r Rule) Floor(now int64) int64 { return r.floor(now) }
func (r Rule) Step(v, now, n int64) (word int64, ok bool) {
	return r.step(v, now, n)
}

func (r Rule) Units() (fine, coarse uint8, burst int64) {
	return r.fine, r.coarse, r.burst
}

// Instant returns t as limiters see it.
func Instant(t time.Time) int64 { return instant(t) }

// Verify counts the keys of a table at rest, and says what is wrong with it.
func (k *Keyed) Verify() (keys int, problems []string) {
	t := k.table.Load()
	seen := map[uint64]bool{}
	for at := 0; at < len(t.cells); at += t.stride {
		h := uint64(t.cells[at].Load())
		if h == 0 {
			continue
		}
		keys++
		if seen[h] {
			problems = append(problems, fmt.Sprintf("key %x is there twice", h))
		}
		seen[h] = true
		if t.find(h) != at {
			problems = append(problems, fmt.Sprintf("key %x is not found where it is", h))
		}
		for i := range t.rules {
			if t.cells[at+1+i].Load() == frozen {
				problems = append(problems, fmt.Sprintf("key %x is frozen", h))
			}
		}
	}
	return keys, problems
}

// Clone returns what memory k's table takes, for measuring.
func (k *Keyed) Clone() any { return newTable(k.table.Load().rules, k.table.Load().slots()) }

// Words copies all that a table holds.
func (k *Keyed) Words() []int64 {
	t := k.table.Load()
	words := make([]int64, len(t.cells))
	for i := range t.cells {
		words[i] = t.cells[i].Load()
	}
	return words
}

// Overfill adds n keys to a table of eight slots as replacing one does, and returns
// the slots that there are then and whether all keys are found.
func Overfill(n int) (slots int, found bool) {
	r, err := newBucket(PerSecond(10))
	if err != nil {
		panic(err)
	}
	t := newTable([]rule{*r}, slotsPerGroup)
	h := newHasher(nil)
	for i := range n {
		t = t.with(h.hash(uint64(i)), []int64{int64(i)})
	}
	for i := range n {
		at := t.find(h.hash(uint64(i)))
		if at < 0 || t.cells[at+1].Load() != int64(i) {
			return t.slots(), false
		}
	}
	return t.slots(), int(t.used.Load()) == n
}

// Spread moves the keys of k to a table of that many slots, or more.
func (k *Keyed) Spread(slots int, now time.Time) {
	k.replace(k.load(), nil, instant(now), slots)
}

// FirstGroup returns the group in which a key of hash x lives first.
func (k *Keyed) FirstGroup(x uint64) uint64 {
	first, _ := k.load().groups(k.hash.hash(x))
	return first
}
