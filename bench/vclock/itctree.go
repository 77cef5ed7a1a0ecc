package vclock

// treeStamp is an interval tree clock as fgrid/itc keeps it: the recursion of the
// paper on trees of pointers that may be modified, so that whatever is lifted or
// sunk is copied as a whole, and an event copies the tree that it starts from.
type treeStamp struct {
	id    *treeID
	event *treeEvent
}

type treeID struct {
	own         bool // of a leaf
	left, right *treeID
}

type treeEvent struct {
	n           uint64
	left, right *treeEvent
}

var (
	idZero = &treeID{}
	idOne  = &treeID{own: true}
)

func (i *treeID) isLeaf() bool    { return i.left == nil }
func (e *treeEvent) isLeaf() bool { return e.left == nil }

func (i *treeID) split() (*treeID, *treeID) {
	switch {
	case i.isLeaf():
		return &treeID{left: idOne, right: idZero}, &treeID{left: idZero, right: idOne}
	case i.left == idZero:
		a, b := i.right.split()
		return &treeID{left: idZero, right: a}, &treeID{left: idZero, right: b}
	case i.right == idZero:
		a, b := i.left.split()
		return &treeID{left: a, right: idZero}, &treeID{left: b, right: idZero}
	}
	return &treeID{left: i.left, right: idZero}, &treeID{left: idZero, right: i.right}
}

func (e *treeEvent) clone() *treeEvent {
	if e.isLeaf() {
		return &treeEvent{n: e.n}
	}
	return &treeEvent{e.n, e.left.clone(), e.right.clone()}
}

func (e *treeEvent) lift(m uint64) *treeEvent {
	r := e.clone()
	r.n += m
	return r
}

func treeNode(n uint64, l, r *treeEvent) *treeEvent {
	if l.isLeaf() && r.isLeaf() && l.n == r.n {
		return &treeEvent{n: n + l.n}
	}
	m := min(l.least(), r.least())
	return &treeEvent{n + m, l.lift(-m), r.lift(-m)}
}

func (e *treeEvent) least() uint64 {
	if e.isLeaf() {
		return e.n
	}
	return e.n + min(e.left.least(), e.right.least())
}

func (e *treeEvent) most() uint64 {
	if e.isLeaf() {
		return e.n
	}
	return e.n + max(e.left.most(), e.right.most())
}

func (e *treeEvent) leq(o *treeEvent) bool {
	switch {
	case e.isLeaf():
		return e.n <= o.n
	case o.isLeaf():
		return e.n <= o.n && e.left.lift(e.n).leq(o) && e.right.lift(e.n).leq(o)
	}
	return e.n <= o.n && e.left.lift(e.n).leq(o.left.lift(o.n)) && e.right.lift(e.n).leq(o.right.lift(o.n))
}

func (e *treeEvent) join(o *treeEvent) *treeEvent {
	switch {
	case e.isLeaf() && o.isLeaf():
		return &treeEvent{n: max(e.n, o.n)}
	case e.isLeaf():
		return (&treeEvent{e.n, &treeEvent{}, &treeEvent{}}).join(o)
	case o.isLeaf():
		return e.join(&treeEvent{o.n, &treeEvent{}, &treeEvent{}})
	case e.n > o.n:
		return o.join(e)
	}
	return treeNode(e.n, e.left.join(o.left.lift(o.n-e.n)), e.right.join(o.right.lift(o.n-e.n)))
}

func (e *treeEvent) fill(i *treeID) *treeEvent {
	switch {
	case i == idZero:
		return e
	case i == idOne:
		return &treeEvent{n: e.most()}
	case e.isLeaf():
		return e
	case i.left == idOne:
		r := e.right.fill(i.right)
		return treeNode(e.n, &treeEvent{n: max(e.left.most(), r.least())}, r)
	case i.right == idOne:
		l := e.left.fill(i.left)
		return treeNode(e.n, l, &treeEvent{n: max(e.right.most(), l.least())})
	}
	return treeNode(e.n, e.left.fill(i.left), e.right.fill(i.right))
}

func (e *treeEvent) grow(i *treeID) (*treeEvent, int) {
	switch {
	case e.isLeaf() && i == idOne:
		return &treeEvent{n: e.n + 1}, 0
	case e.isLeaf():
		g, c := (&treeEvent{e.n, &treeEvent{}, &treeEvent{}}).grow(i)
		return g, c + 1000
	case i.left == idZero:
		r, c := e.right.grow(i.right)
		return &treeEvent{e.n, e.left, r}, c + 1
	case i.right == idZero:
		l, c := e.left.grow(i.left)
		return &treeEvent{e.n, l, e.right}, c + 1
	}
	l, cl := e.left.grow(i.left)
	r, cr := e.right.grow(i.right)
	if cl < cr {
		return &treeEvent{e.n, l, e.right}, cl + 1
	}
	return &treeEvent{e.n, e.left, r}, cr + 1
}

func (e *treeEvent) equal(o *treeEvent) bool {
	if e.n != o.n || e.isLeaf() != o.isLeaf() {
		return false
	}
	return e.isLeaf() || e.left.equal(o.left) && e.right.equal(o.right)
}

func (s treeStamp) record() treeStamp {
	before := s.event.clone()
	if filled := s.event.fill(s.id); !filled.equal(before) {
		return treeStamp{s.id, filled}
	}
	grown, _ := s.event.grow(s.id)
	return treeStamp{s.id, grown}
}

func (s treeStamp) fork() (treeStamp, treeStamp) {
	a, b := s.id.split()
	return treeStamp{a, s.event}, treeStamp{b, s.event}
}
