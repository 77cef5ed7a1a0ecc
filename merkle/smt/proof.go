package smt

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// Proof shows, to whoever has a root, that a key has a value, or that the map has no
// such key. It is a value; the zero Proof shows that the empty map has no key.
type Proof struct {
	// Siblings are the hashes beside the path, from the bottom up; zero for a
	// subtree without leaves. There are at most 256.
	Siblings []merkle.Hash

	// The leaf that is where an absent key would be, if it is not an empty subtree.
	other       bool
	path, value merkle.Hash
}

// Prove returns the proof of key's value, or of its absence, as the case is. It
// takes O(log n) and hashes next to nothing, once [Map.Root] has.
func (m *Map) Prove(key []byte) Proof {
	m.settle()
	path := merkle.Hash(sha256.Sum256(key))
	var p Proof
	n := m.root
	if m.len > 1 { // paths are rarely longer by more than a few
		p.Siblings = make([]merkle.Hash, 0, bits.Len(uint(m.len))+6)
	}
	for n != nil && !n.isLeaf() {
		at := int(n.bit)
		if at > len(p.Siblings) { // some levels are skipped: does the path go along?
			at = shared(&n.path, &path, at)
			p.skip(at)
		}
		if at < int(n.bit) { // empty on the key's side, n on the other
			h := merklehash.Get()
			p.Siblings = append(p.Siblings, n.hashAt(h, at+1))
			h.Put()
			n = nil
			break
		}
		side := n.side(&path)
		p.Siblings = append(p.Siblings, n.hash[1-side])
		n = n.child[side]
	}
	if n != nil && n.path != path {
		p.other, p.path, p.value = true, n.path, *n.value()
	}
	slices.Reverse(p.Siblings)
	return p
}

// skip appends empty siblings down to a depth.
func (p *Proof) skip(to int) {
	for len(p.Siblings) < to {
		p.Siblings = append(p.Siblings, empty)
	}
}

// OtherLeaf returns the leaf that is where the key would be, if there is one, in
// the form in which it was hashed: 0x00 || path || SHA-256(value), 65 bytes. It is
// nil in a proof of presence, and where the key's subtree is empty. celestiaorg/smt
// calls it NonMembershipLeafData.
func (p Proof) OtherLeaf() []byte {
	if !p.other {
		return nil
	}
	return slices.Concat([]byte{leafPrefix}, p.path[:], p.value[:])
}

// VerifyPresent checks that the map under root has the value for key. Otherwise
// the error is merkle.ErrProof. It does not allocate for a proof that holds.
func (p Proof) VerifyPresent(root merkle.Hash, key, value []byte) error {
	if p.other {
		return fmt.Errorf("smt: proof shows absence, not presence: %w", merkle.ErrProof)
	}
	path, v := merkle.Hash(sha256.Sum256(key)), merkle.Hash(sha256.Sum256(value))
	h := merklehash.Get()
	defer h.Put()
	return p.climb(h, root, hashLeaf(h, &path, &v), &path)
}

// VerifyAbsent checks that the map under root does not have key. Otherwise the
// error is merkle.ErrProof. It does not allocate for a proof that holds. The zero
// root is that of the empty map, which has no key.
func (p Proof) VerifyAbsent(root merkle.Hash, key []byte) error {
	path := merkle.Hash(sha256.Sum256(key))
	h := merklehash.Get()
	defer h.Put()
	if !p.other {
		return p.climb(h, root, empty, &path)
	}
	switch common := shared(&p.path, &path, depth); {
	case common == depth:
		return fmt.Errorf("smt: the leaf of the proof is the key's own: %w", merkle.ErrProof)
	case common < len(p.Siblings):
		return fmt.Errorf("smt: the leaf of the proof shares %d bits with the key, want %d: %w", common, len(p.Siblings), merkle.ErrProof)
	}
	return p.climb(h, root, hashLeaf(h, &p.path, &p.value), &path)
}

// climb goes up from the hash of what is at path to the root.
func (p Proof) climb(h *merklehash.Hasher, root, at merkle.Hash, path *merkle.Hash) error {
	if len(p.Siblings) > depth {
		return fmt.Errorf("smt: proof of %d siblings, want at most %d: %w", len(p.Siblings), depth, merkle.ErrProof)
	}
	for i := range p.Siblings {
		at = above(h, &at, &p.Siblings[i], path, len(p.Siblings)-1-i)
	}
	if at != root {
		return fmt.Errorf("smt: proof leads to root %v, not to %v: %w", at, root, merkle.ErrProof)
	}
	return nil
}
