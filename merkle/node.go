package merkle

// The tree is a B+tree of two kinds of nodes. A leaf has up to 63 entries, which
// with its header make 1024 bytes, a size class of the allocator. An inner node
// has up to 32 children, whose totals it keeps, so that a total of a range visits
// two paths. Inner nodes of level 1, above the leaves, keep a sketch of all their
// entries: about a thousand of them.
const (
	leafMax  = 63
	leafMin  = leafMax / 4
	innerMax = 32
	innerMin = innerMax / 4

	// maxHeight bounds the levels: 2^64 entries in nodes a quarter full take 23.
	maxHeight = 24
)

// entry is a position and its version: together, so that both come with one line
// of memory.
type entry struct{ h, v uint64 }

type leaf struct {
	owner uint64
	n     int
	e     [leafMax]entry // by position
}

type inner struct {
	owner  uint64
	n      int
	keys   [innerMax]uint64 // no entry of child i is below keys[i]; keys[0] is not looked at
	totals [innerMax]total
	kids   *[innerMax]*inner // above level 1
	leaves *[innerMax]*leaf  // at level 1
	cells  *cells            // at level 1, unless the tree goes without
}

// place returns the first place of child i, a leaf, whose position is at least h.
// Positions are hashes, so where h lies between the bounds that the parent knows
// tells the place but for a few: a leaf is rarely in the cache, and looking only
// there costs one miss where a binary search has three. The number of entries comes
// from the parent too, so that this miss does not wait for another. After three
// steps it is a binary search, so that positions of any shape cost no more than
// log n.
func (x *inner) place(k int, h uint64) int {
	l, lo, hi := x.leaves[k], x.keys[k], x.upper(k)
	i, j := 0, int(x.totals[k].count)
	if lo < h && h < hi && j > 8 {
		g := int((h - lo) >> 7 * uint64(j) / ((hi-lo)>>7 + 1))
		if l.e[g].h < h {
			for i = g + 1; i < j && i <= g+4; i++ {
				if l.e[i].h >= h {
					return i
				}
			}
		} else {
			for j = g; j > 0 && j > g-4; j-- {
				if l.e[j-1].h < h {
					return j
				}
			}
		}
	}
	return l.search(i, j, h)
}

// find is place for a leaf of unknown bounds.
func (l *leaf) find(h uint64) int { return l.search(0, l.n, h) }

// search returns the first place whose position is at least h; it is in [i, j].
func (l *leaf) search(i, j int, h uint64) int {
	for i < j {
		m := int(uint(i+j) / 2)
		if l.e[m].h < h {
			i = m + 1
		} else {
			j = m
		}
	}
	return i
}

// find returns the child that h belongs to: the last whose key is at most h, or
// the first.
func (x *inner) find(h uint64) int {
	i := 0
	for n := x.n; n > 1; {
		half := n / 2
		if x.keys[(i+half)&(innerMax-1)] <= h {
			i += half
		}
		n -= half
	}
	return i
}

// sum returns the total of all children.
func (x *inner) sum() (s total) {
	for i := range x.n {
		s.add(x.totals[i])
	}
	return s
}

// sum returns the total of all entries.
func (l *leaf) sum(k *keying) (s total) {
	for i := range l.n {
		s.add(k.one(l.e[i].h, l.e[i].v))
	}
	return s
}

// put inserts an entry at place p of a leaf that has room.
func (l *leaf) put(p int, h, v uint64) {
	copy(l.e[p+1:l.n+1], l.e[p:l.n])
	l.e[p] = entry{h, v}
	l.n++
}

func (l *leaf) remove(p int) {
	copy(l.e[p:], l.e[p+1:l.n])
	l.n--
}

// part is a subtree on its own: a leaf at level 0, an inner node above, or
// nothing.
type part struct {
	level int
	leaf  *leaf
	inner *inner
	key   uint64 // no entry is below it
	total total
}

func (p part) empty() bool { return p.leaf == nil && p.inner == nil }

func (p part) size() int {
	if p.leaf != nil {
		return p.leaf.n
	}
	return p.inner.n
}

// kid returns child i of x, which is at that level, as a part.
func (x *inner) kid(i, level int) part {
	p := part{level: level - 1, key: x.keys[i], total: x.totals[i]}
	if level == 1 {
		p.leaf = x.leaves[i]
	} else {
		p.inner = x.kids[i]
	}
	return p
}

// set makes p child i of x. It leaves x's cells alone.
func (x *inner) set(i int, p part) {
	x.keys[i], x.totals[i] = p.key, p.total
	if p.leaf != nil {
		x.leaves[i] = p.leaf
	} else {
		x.kids[i] = p.inner
	}
}

// insert makes p child i of x, which has room. It leaves x's cells alone.
func (x *inner) insert(i int, p part) {
	copy(x.keys[i+1:x.n+1], x.keys[i:x.n])
	copy(x.totals[i+1:x.n+1], x.totals[i:x.n])
	if p.leaf != nil {
		copy(x.leaves[i+1:x.n+1], x.leaves[i:x.n])
	} else {
		copy(x.kids[i+1:x.n+1], x.kids[i:x.n])
	}
	x.n++
	x.set(i, p)
}

// drop takes child i out of x. It leaves x's cells alone.
func (x *inner) drop(i int) {
	copy(x.keys[i:], x.keys[i+1:x.n])
	copy(x.totals[i:], x.totals[i+1:x.n])
	x.n--
	if x.leaves != nil {
		copy(x.leaves[i:], x.leaves[i+1:x.n+1])
		x.leaves[x.n] = nil
	} else {
		copy(x.kids[i:], x.kids[i+1:x.n+1])
		x.kids[x.n] = nil
	}
}

// upper returns a position that all of child i are below, or the last of all.
func (x *inner) upper(i int) uint64 {
	if i+1 < x.n {
		return x.keys[i+1]
	}
	return everything.last
}

// first returns the first position in p.
func (p part) first() uint64 {
	l, x := p.leaf, p.inner
	for level := p.level; level > 0; level-- {
		if level == 1 {
			l = x.leaves[0]
		} else {
			x = x.kids[0]
		}
	}
	return l.e[0].h
}
