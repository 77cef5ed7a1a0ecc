package merkle

// How full nodes are that are built all at once: there is room for a few entries
// before they are split.
const (
	leafFill  = leafMax * 9 / 10
	innerFill = innerMax * 9 / 10
)

// builder makes a tree of entries that come in ascending order, from the leaves
// up: each is looked at once, and nothing is searched.
type builder struct {
	t      *Tree
	leaves []part
	shares shares
	leaf   *leaf
	room   int // of what leaf is to have
}

// shares divides n things among so many nodes, as evenly as can be.
type shares struct{ n, nodes int }

func divided(n, fill, most int) shares {
	if n <= most {
		return shares{n, 1}
	}
	return shares{n, (n + fill - 1) / fill}
}

func (s *shares) next() int {
	k := (s.n + s.nodes - 1) / s.nodes
	s.n -= k
	s.nodes--
	return k
}

// builder expects n entries for t, which is empty.
func (t *Tree) builder(n int) *builder {
	b := &builder{t: t, shares: divided(n, leafFill, leafMax)}
	b.leaves = make([]part, 0, b.shares.nodes)
	return b
}

func (b *builder) add(h, v uint64) {
	if b.room == 0 {
		b.leaf, b.room = b.t.newLeaf(), b.shares.next()
		b.leaves = append(b.leaves, part{leaf: b.leaf, key: h})
	}
	l, one := b.leaf, b.t.keying.one(h, v)
	l.e[l.n] = entry{h, v}
	l.n++
	b.room--
	b.leaves[len(b.leaves)-1].total.add(one)
}

// done makes the entries all of t.
func (b *builder) done() {
	nodes := b.leaves
	for level := 1; len(nodes) > 1; level++ {
		s := divided(len(nodes), innerFill, innerMax)
		above := make([]part, 0, s.nodes)
		for len(nodes) > 0 {
			k := s.next()
			above = append(above, b.t.over(nodes[:k], level))
			nodes = nodes[k:]
		}
		nodes = above
	}
	if len(nodes) == 1 {
		b.t.become(nodes[0])
	}
}

// over returns a node of that level over children of the one below.
func (t *Tree) over(kids []part, level int) part {
	x := t.newInner(level)
	x.n = len(kids)
	p := part{level: level, inner: x, key: kids[0].key}
	for i, kid := range kids {
		x.set(i, kid)
		t.markPart(x, kid)
		p.total.add(kid.total)
	}
	return p
}
