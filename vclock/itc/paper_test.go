package itc_test

import (
	"fmt"

	"github.com/distkit/distkit/vclock"
)

// The clocks of the paper as it writes them, on trees of pointers: the slow twin.

type paperID struct {
	own         bool // of a leaf
	left, right *paperID
}

type paperEvent struct {
	n           uint64
	left, right *paperEvent
}

type paperStamp struct {
	id    *paperID
	event *paperEvent
}

var (
	zero = &paperID{}
	one  = &paperID{own: true}
)

func paperSeed() paperStamp { return paperStamp{one, &paperEvent{}} }

func (i *paperID) isLeaf() bool    { return i.left == nil }
func (e *paperEvent) isLeaf() bool { return e.left == nil }

func (i *paperID) String() string {
	switch {
	case !i.isLeaf():
		return fmt.Sprintf("(%v, %v)", i.left, i.right)
	case i.own:
		return "1"
	}
	return "0"
}

func (e *paperEvent) String() string {
	if e.isLeaf() {
		return fmt.Sprint(e.n)
	}
	return fmt.Sprintf("(%d, %v, %v)", e.n, e.left, e.right)
}

func (s paperStamp) String() string { return fmt.Sprintf("(%v, %v)", s.id, s.event) }

func normID(l, r *paperID) *paperID {
	if l.isLeaf() && r.isLeaf() && l.own == r.own {
		return l
	}
	return &paperID{left: l, right: r}
}

func splitID(i *paperID) (*paperID, *paperID) {
	switch {
	case i.isLeaf() && !i.own:
		return zero, zero
	case i.isLeaf():
		return &paperID{left: one, right: zero}, &paperID{left: zero, right: one}
	case i.left.isLeaf() && !i.left.own:
		a, b := splitID(i.right)
		return &paperID{left: zero, right: a}, &paperID{left: zero, right: b}
	case i.right.isLeaf() && !i.right.own:
		a, b := splitID(i.left)
		return &paperID{left: a, right: zero}, &paperID{left: b, right: zero}
	}
	return &paperID{left: i.left, right: zero}, &paperID{left: zero, right: i.right}
}

// sumID panics where ids overlap.
func sumID(a, b *paperID) *paperID {
	switch {
	case a.isLeaf() && !a.own:
		return b
	case b.isLeaf() && !b.own:
		return a
	case a.isLeaf() || b.isLeaf():
		panic("overlap")
	}
	return normID(sumID(a.left, b.left), sumID(a.right, b.right))
}

func lift(m uint64, e *paperEvent) *paperEvent { return &paperEvent{e.n + m, e.left, e.right} }

func norm(n uint64, l, r *paperEvent) *paperEvent {
	if l.isLeaf() && r.isLeaf() && l.n == r.n {
		return &paperEvent{n: n + l.n}
	}
	m := min(minOf(l), minOf(r))
	return &paperEvent{n + m, &paperEvent{l.n - m, l.left, l.right}, &paperEvent{r.n - m, r.left, r.right}}
}

func minOf(e *paperEvent) uint64 {
	if e.isLeaf() {
		return e.n
	}
	return e.n + min(minOf(e.left), minOf(e.right))
}

func maxOf(e *paperEvent) uint64 {
	if e.isLeaf() {
		return e.n
	}
	return e.n + max(maxOf(e.left), maxOf(e.right))
}

func leq(a, b *paperEvent) bool {
	switch {
	case a.isLeaf():
		return a.n <= b.n
	case b.isLeaf():
		return a.n <= b.n && leq(lift(a.n, a.left), b) && leq(lift(a.n, a.right), b)
	}
	return a.n <= b.n && leq(lift(a.n, a.left), lift(b.n, b.left)) && leq(lift(a.n, a.right), lift(b.n, b.right))
}

func joinEvents(a, b *paperEvent) *paperEvent {
	switch {
	case a.isLeaf() && b.isLeaf():
		return &paperEvent{n: max(a.n, b.n)}
	case a.isLeaf():
		return joinEvents(&paperEvent{a.n, &paperEvent{}, &paperEvent{}}, b)
	case b.isLeaf():
		return joinEvents(a, &paperEvent{b.n, &paperEvent{}, &paperEvent{}})
	case a.n > b.n:
		return joinEvents(b, a)
	}
	return norm(a.n, joinEvents(a.left, lift(b.n-a.n, b.left)), joinEvents(a.right, lift(b.n-a.n, b.right)))
}

func fill(i *paperID, e *paperEvent) *paperEvent {
	switch {
	case i.isLeaf() && !i.own:
		return e
	case i.isLeaf():
		return &paperEvent{n: maxOf(e)}
	case e.isLeaf():
		return e
	case i.left.isLeaf() && i.left.own:
		r := fill(i.right, e.right)
		return norm(e.n, &paperEvent{n: max(maxOf(e.left), minOf(r))}, r)
	case i.right.isLeaf() && i.right.own:
		l := fill(i.left, e.left)
		return norm(e.n, l, &paperEvent{n: max(maxOf(e.right), minOf(l))})
	}
	return norm(e.n, fill(i.left, e.left), fill(i.right, e.right))
}

func growEvent(i *paperID, e *paperEvent) (*paperEvent, int) {
	switch {
	case e.isLeaf() && i.isLeaf():
		return &paperEvent{n: e.n + 1}, 0
	case e.isLeaf():
		g, c := growEvent(i, &paperEvent{e.n, &paperEvent{}, &paperEvent{}})
		return g, c + 1000
	case i.left.isLeaf() && !i.left.own:
		r, c := growEvent(i.right, e.right)
		return &paperEvent{e.n, e.left, r}, c + 1
	case i.right.isLeaf() && !i.right.own:
		l, c := growEvent(i.left, e.left)
		return &paperEvent{e.n, l, e.right}, c + 1
	}
	l, cl := growEvent(i.left, e.left)
	r, cr := growEvent(i.right, e.right)
	if cl < cr {
		return &paperEvent{e.n, l, e.right}, cl + 1
	}
	return &paperEvent{e.n, e.left, r}, cr + 1
}

func (s paperStamp) record() paperStamp {
	if filled := fill(s.id, s.event); filled.String() != s.event.String() {
		return paperStamp{s.id, filled}
	}
	grown, _ := growEvent(s.id, s.event)
	return paperStamp{s.id, grown}
}

func (s paperStamp) fork() (paperStamp, paperStamp) {
	a, b := splitID(s.id)
	return paperStamp{a, s.event}, paperStamp{b, s.event}
}

func (s paperStamp) join(o paperStamp) paperStamp {
	return paperStamp{sumID(s.id, o.id), joinEvents(s.event, o.event)}
}

func (s paperStamp) compare(o paperStamp) vclock.Ordering {
	switch le, ge := leq(s.event, o.event), leq(o.event, s.event); {
	case le && ge:
		return vclock.Equal
	case le:
		return vclock.Before
	case ge:
		return vclock.After
	}
	return vclock.Concurrent
}
