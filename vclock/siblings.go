package vclock

import (
	"iter"
	"slices"
)

// Siblings are the concurrent values of one key, each with the dot of the write
// that made it, and the context: the clock of all writes to the key that are
// known, those that were overwritten or deleted included. It is the dotted
// version vector set of Almeida, Gonçalves, Preguiça and Fonte, "Dotted version
// vectors: logical clocks for optimistic replication", 2010: a write replaces
// exactly the values that its writer had read. So two clients that write at the
// same time through one server leave two siblings, and one that writes again
// and again without reading leaves as many as it made writes, but no merge of
// replicas ever makes a sibling out of a value that was replaced.
//
// A client reads the values with Context, decides, and sends the context back
// with what it writes; the server calls Put with it, under its own id: ids are
// those of the servers that take writes, not of the clients. Replicas are
// joined by Merge, in any order and as often as they meet.
//
// Siblings are immutable and may be used by any number of goroutines at once;
// the zero value is empty and ready for use. An id is one serial writer: two
// writes under one id that start from the same Siblings make the same dot twice
// (see [NewActor]). Operations take time linear in context and values.
type Siblings[T any] struct {
	seen Clock
	live []version[T] // ascending by id, newest first; never modified
}

// version is a value and the write that made it. Of every id the versions that
// live are the newest of its dots, without a gap: whoever has seen a dot has
// seen those before it.
type version[T any] struct {
	dot   Dot
	value T
}

// Context returns the clock of all writes that are known. It comes back with
// the next write, as proof of what its writer had read.
func (s Siblings[T]) Context() Clock { return s.seen }

// Len returns the number of values: 0 when nothing was written or all of it was
// deleted, 1 without conflict. A store that bounds siblings checks it after Put.
func (s Siblings[T]) Len() int { return len(s.live) }

// Values yields the values in the order of All.
func (s Siblings[T]) Values() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range s.live {
			if !yield(s.live[i].value) {
				return
			}
		}
	}
}

// All yields the values with their dots, ascending by id and the newest of an
// id first: in the same order on every replica.
func (s Siblings[T]) All() iter.Seq2[Dot, T] {
	return func(yield func(Dot, T) bool) {
		for i := range s.live {
			if !yield(s.live[i].dot, s.live[i].value) {
				return
			}
		}
	}
}

// Put returns the siblings after a write of v through the server id by a client
// whose context was seen, and the dot of that write. It drops the values that
// seen covers and keeps the others as siblings of v; a client that has read
// nothing passes the zero Clock.
//
// A context from a stranger may claim writes that never were, and would then
// cover those to come. Take contexts only in tokens that you authenticate, or
// clip them to what is known: s.Put(seen.Meet(s.Context()), id, v).
func (s Siblings[T]) Put(seen Clock, id string, v T) (Siblings[T], Dot) {
	ctx := s.seen.Merge(seen).Tick(id)
	made := version[T]{Dot{id, ctx.Get(id)}, v}
	live := make([]version[T], 0, len(s.live)+1)
	at := 0 // where the new version goes: before all of its id
	covered := cursor{enc: seen.enc}
	for _, old := range s.live {
		if old.dot.N <= covered.seek(old.dot.ID) {
			continue
		}
		live = append(live, old)
		if old.dot.ID < id {
			at = len(live)
		}
	}
	return Siblings[T]{ctx, slices.Insert(live, at, made)}, made.dot
}

// Discard returns the siblings after a delete by a client whose context was
// seen. Values that seen covers are gone, and stay gone when a replica brings
// them again; values that the client had not read survive. What is left when
// Len is 0 is the context alone: the tombstone. It may be dropped under the
// rule of [Clock.Without] only.
func (s Siblings[T]) Discard(seen Clock) Siblings[T] {
	covered := cursor{enc: seen.enc}
	live := filter(s.live, func(d Dot) bool { return d.N > covered.seek(d.ID) })
	return Siblings[T]{s.seen.Merge(seen), live}
}

// Merge returns what two replicas know together: the values that live on both,
// and those that live on one and of which the other has not heard. It is
// commutative, associative and idempotent; when nothing is new it returns s.
func (s Siblings[T]) Merge(o Siblings[T]) Siblings[T] {
	known, there := cursor{enc: o.seen.enc}, o.live
	mine := filter(s.live, func(d Dot) bool {
		if d.N > known.seek(d.ID) {
			return true
		}
		for len(there) > 0 && before(there[0].dot, d) {
			there = there[1:]
		}
		return len(there) > 0 && there[0].dot == d
	})
	known = cursor{enc: s.seen.enc}
	theirs := filter(o.live, func(d Dot) bool { return d.N > known.seek(d.ID) })
	return Siblings[T]{s.seen.Merge(o.seen), interleave(mine, theirs)}
}

// Compare says how the contexts stand to each other; values are not looked at.
// So a deleted value and its tombstone compare Equal: use Equal to find out
// whether a replica is stale.
func (s Siblings[T]) Compare(o Siblings[T]) Ordering { return s.seen.Compare(o.seen) }

// Equal reports whether s and o are in the same state: equal contexts, and the
// same writes alive. A dot names one value, so values are not compared.
func (s Siblings[T]) Equal(o Siblings[T]) bool {
	return s.seen == o.seen && slices.EqualFunc(s.live, o.live, func(a, b version[T]) bool { return a.dot == b.dot })
}

// Reconcile returns the siblings after a write, through the server id, of what
// f makes of all values, in the order of All: one value that descends from all
// of them. f may keep and modify the slice. Without values nothing happens. Call
// it when Len is above 1: on a single value it is a write like any other, and
// two servers that rewrite what needs no reconciliation conflict for ever.
func (s Siblings[T]) Reconcile(id string, f func([]T) T) Siblings[T] {
	if len(s.live) == 0 {
		return s
	}
	r, _ := s.Put(s.seen, id, f(slices.Collect(s.Values())))
	return r
}

// Latest returns the value that no other is newer than, the first of them in
// the order of All, so that every replica chooses the same: last writer wins,
// with timestamps in the values. newer reports whether a is newer than b, a
// strict weak order. Latest only chooses; Reconcile or Put writes the choice.
// It returns false when there is no value.
func (s Siblings[T]) Latest(newer func(a, b T) bool) (T, bool) {
	var best T
	for i := range s.live {
		if i == 0 || newer(s.live[i].value, best) {
			best = s.live[i].value
		}
	}
	return best, len(s.live) > 0
}

// cursor looks up ascending ids in an encoding, in one pass over it.
type cursor struct {
	enc string
	i   int
}

// seek returns the counter of id, which must not be less than the one before.
func (c *cursor) seek(id string) uint64 {
	for c.i < len(c.enc) {
		have, n, end := entryAt(c.enc, c.i)
		if have == id {
			return n
		}
		if have > id {
			return 0
		}
		c.i = end
	}
	return 0
}

// before is the order of versions: ascending by id, newest first.
func before(a, b Dot) bool { return a.ID < b.ID || a.ID == b.ID && a.N > b.N }

// filter returns the versions that keep accepts: live itself when it accepts
// all. It asks once for each version, in their order. A new slice holds on to
// none of the values that were dropped.
func filter[T any](live []version[T], keep func(Dot) bool) []version[T] {
	for i := range live {
		if keep(live[i].dot) {
			continue
		}
		kept := append(make([]version[T], 0, len(live)-1), live[:i]...)
		for _, v := range live[i+1:] {
			if keep(v.dot) {
				kept = append(kept, v)
			}
		}
		return kept
	}
	return live
}

// interleave merges two ordered lists without common dots.
func interleave[T any](a, b []version[T]) []version[T] {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	all := make([]version[T], 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if before(a[0].dot, b[0].dot) {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}
