package merkle

import (
	"errors"
	"iter"
	"sync/atomic"
)

// Tree indexes the rows of a replica by their positions on the ring, so that
// replicas find out where they differ. It holds entries (position, version):
// 64 bits each, 27 bytes of memory an entry. See the package comment for what a
// position is. A position has one version; two keys of equal position share it,
// which among a hundred million keys happens to one pair with chance 3e-4, and
// by the choice of hostile keys unless there is a secret.
//
// Fill a Tree from the rows when the replica starts. Or store its image with them:
// then put again what changed since, for a tree that misses a change sees a
// difference where none is, or none where one is. Put, Get, Delete and Summary take
// O(log n); none of them allocates, but for what grows the tree.
//
// Nodes are shared between a tree and its snapshots and copied when they change.
// One goroutine at a time may use a Tree that changes; a Tree that nobody changes
// (any longer), such as a snapshot, may be used by any number at once.
//
// The zero Tree is empty: it answers queries and decodes images, but putting into
// it panics. Make trees by [NewTree]. A Tree must not be copied.
type Tree struct {
	keying   *keying // nil in a zero Tree
	patterns *patterns
	sketched bool
	owner    atomic.Uint64
	root     *inner // nil if empty
	height   int    // levels of inner nodes
	total    total
}

// TreeOption is an option of [NewTree].
type TreeOption func(*treeConfig)

type treeConfig struct {
	positions, sums *[16]byte
	plain           bool
}

// WithSecret (Tree) keys positions, as ring's WithSecret does, version digests
// and sums by SipHash-2-4. Nobody without the secret can choose keys of equal
// position, or rows whose sums cancel out. Put costs 40 to 80 ns more, and
// Summary up to twice the time. Replicas need the same secret. It does not go
// together with [WithSumSecret].
func WithSecret(secret [16]byte) TreeOption {
	return func(c *treeConfig) { c.positions = &secret }
}

// WithSumSecret (Tree) keys version digests and sums, and leaves positions
// alone: it is for a ring that has no secret. Default: none.
func WithSumSecret(secret [16]byte) TreeOption {
	return func(c *treeConfig) { c.sums = &secret }
}

// WithoutSketches (Tree) goes without the sketches that let a [Session] find
// differences without looking at all entries: Put takes three quarters of the time
// and an entry 1.5 bytes less, and a Session O(n) time. Replicas with and without
// sketches can be compared.
func WithoutSketches() TreeOption { return func(c *treeConfig) { c.plain = true } }

// NewTree returns an empty tree. It fails for options that exclude each other.
func NewTree(opts ...TreeOption) (*Tree, error) {
	var c treeConfig
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("merkle: option is nil")
		}
		opt(&c)
	}
	if c.positions != nil && c.sums != nil {
		return nil, errors.New("merkle: WithSecret and WithSumSecret exclude each other")
	}
	k := unkeyed
	if c.positions != nil {
		k = newKeying(c.positions, true)
	} else if c.sums != nil {
		k = newKeying(c.sums, false)
	}
	return newTree(k, !c.plain), nil
}

func newTree(k *keying, sketched bool) *Tree {
	t := &Tree{keying: k, patterns: theirPatterns(), sketched: sketched}
	t.owner.Store(newToken())
	return t
}

func (t *Tree) mustBeMade() {
	if t.keying == nil {
		panic("merkle: put into a zero Tree: make one by NewTree")
	}
}

// Put sets the version of a key's row, in any bytes that differ between versions:
// a clock, a timestamp, the value itself. The tree keeps 64-bit digests.
func (t *Tree) Put(key, version []byte) {
	t.mustBeMade()
	t.PutHash(t.keying.position(key), t.keying.version(version))
}

// PutString is [Tree.Put] for a key in a string, which is not copied.
func (t *Tree) PutString(key string, version []byte) {
	t.mustBeMade()
	t.PutHash(t.keying.positionString(key), t.keying.version(version))
}

// Delete takes a key's entry out and tells whether there was one. A store that
// keeps tombstones puts their version instead, lest replicas bring the row back.
func (t *Tree) Delete(key []byte) bool {
	return t.root != nil && t.DeleteHash(t.keying.position(key))
}

// DeleteString is [Tree.Delete] for a key in a string.
func (t *Tree) DeleteString(key string) bool {
	return t.root != nil && t.DeleteHash(t.keying.positionString(key))
}

// Get returns the version at position h, as [Tree.PutHash] was given it or as
// [Tree.Put] made it.
func (t *Tree) Get(h uint64) (version uint64, ok bool) {
	if t.root == nil {
		return 0, false
	}
	x, i := t.root, 0
	for level := t.height; ; level-- {
		i = x.find(h)
		if level == 1 {
			break
		}
		x = x.kids[i]
	}
	l := x.leaves[i]
	if p := x.place(i, h); p < l.n && l.e[p].h == h {
		return l.e[p].v, true
	}
	return 0, false
}

// Len returns the number of entries.
func (t *Tree) Len() int { return int(t.total.count) }

// Snapshot returns a tree that holds what t holds now and shares its memory:
// what changes later is copied first, a kilobyte at a time. It takes no time that
// depends on the size. Either may be changed, each by its one writer.
func (t *Tree) Snapshot() *Tree {
	s := &Tree{keying: t.keying, patterns: t.patterns, sketched: t.sketched, root: t.root, height: t.height, total: t.total}
	s.owner.Store(newToken())
	t.owner.Store(newToken())
	return s
}

// Entries yields the positions of r and their versions, ascending from the
// start of the range, through 0 if it wraps. It sees the tree as it was when the
// loop began: the body may change the tree.
func (t *Tree) Entries(r Range) iter.Seq2[uint64, uint64] {
	return func(yield func(h, v uint64) bool) {
		if t.root == nil {
			return
		}
		s := t.Snapshot()
		a, b, two := r.spans()
		if r.Start == r.End && r.Start != everything.last {
			a, b, two = span{0, r.Start}, span{r.Start + 1, everything.last}, true
		}
		if !two || s.walk(b, yield) {
			s.walk(a, yield)
		}
	}
}

// walk yields the entries of s and reports whether yield wants more.
func (t *Tree) walk(s span, yield func(h, v uint64) bool) bool {
	return t.root == nil || t.root.walk(t.height, s, yield)
}

func (x *inner) walk(level int, s span, yield func(h, v uint64) bool) bool {
	for i := x.find(s.lo); i < x.n; i++ {
		if i > 0 && x.keys[i] > s.last {
			return true
		}
		if level > 1 {
			if !x.kids[i].walk(level-1, s, yield) {
				return false
			}
			continue
		}
		l := x.leaves[i]
		for p := x.place(i, s.lo); p < l.n && l.e[p].h <= s.last; p++ {
			if !yield(l.e[p].h, l.e[p].v) {
				return false
			}
		}
	}
	return true
}
