package merkle

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"testing"

	celestia "github.com/celestiaorg/smt"
	ics23 "github.com/cosmos/ics23/go"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/smt"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	gotlog "golang.org/x/mod/sumdb/tlog"
)

func join(hs []merkle.Hash) (b []byte) {
	for _, h := range hs {
		b = append(b, h[:]...)
	}
	return b
}

func together(hs [][]byte) (out []merkle.Hash) {
	for _, h := range hs {
		out = append(out, merkle.Hash(h))
	}
	return out
}

func fromXmod(hs []gotlog.Hash) (out []merkle.Hash) {
	for _, h := range hs {
		out = append(out, merkle.Hash(h))
	}
	return out
}

func apart(hs []merkle.Hash) (out [][]byte) {
	for i := range hs {
		out = append(out, hs[i][:])
	}
	return out
}

// Roots and proofs of logs are byte by byte those of both reference
// implementations, and each verifies the other's.
func TestLogsAgree(t *testing.T) {
	const most = 70
	l, td, h := tlog.NewLog(), testonly.New(rfc6962.DefaultHasher), rfc6962.DefaultHasher
	var xmod stored
	for n := range uint64(most) {
		entry := slices.Repeat([]byte{byte(n)}, int(n)*7)
		l.Append(entry)
		td.AppendData(entry)
		xmod.add(int64(n), entry)
		size := n + 1
		root := l.Root()
		if !bytes.Equal(root[:], td.Hash()) || merkle.Hash(check(gotlog.TreeHash(int64(size), xmod))) != root {
			t.Fatalf("size %d: another root", size)
		}
		for i := range size {
			ours, leaf := check(l.Inclusion(i, size)), check(l.Leaf(i))
			theirs := check(td.InclusionProof(i, size))
			if !bytes.Equal(join(ours), bytes.Join(theirs, nil)) || !slices.Equal(ours, fromXmod(check(gotlog.ProveRecord(int64(size), int64(i), xmod)))) {
				t.Fatalf("inclusion of %d in %d: another proof", i, size)
			}
			must(tlog.VerifyInclusion(root, size, i, leaf, together(theirs)))
			must(proof.VerifyInclusion(h, i, size, leaf[:], apart(ours), root[:]))

			old := check(l.RootAt(i + 1))
			ours, theirs = check(l.Consistency(i+1, size)), check(td.ConsistencyProof(i+1, size))
			if !bytes.Equal(join(ours), bytes.Join(theirs, nil)) || !slices.Equal(ours, fromXmod(check(gotlog.ProveTree(int64(size), int64(i+1), xmod)))) {
				t.Fatalf("consistency of %d in %d: another proof", i+1, size)
			}
			must(tlog.VerifyConsistency(old, i+1, root, size, together(theirs)))
			must(proof.VerifyConsistency(h, i+1, size, apart(ours), old[:], root[:]))
		}
	}
}

// A frontier holds the hashes of transparency-dev's compact range.
func TestFrontiersAgree(t *testing.T) {
	f := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	for begin := range uint64(20) {
		r, ours := f.NewEmptyRange(begin), tlog.NewFrontierAt(begin)
		for i := range uint64(40) {
			leaf := tlog.LeafHash([]byte{byte(i)})
			must(r.Append(leaf[:], nil))
			ours.Append(leaf)
			image := check(ours.MarshalBinary())
			payload := image[8+2*8+8 : len(image)-8] // what stands in the envelope
			if !bytes.Equal(payload, bytes.Join(r.Hashes(), nil)) {
				t.Fatalf("[%d, %d): other hashes", begin, begin+i+1)
			}
		}
	}
}

// celestia's proof of the same key.
func theirs(p smt.Proof) celestia.SparseMerkleProof {
	return celestia.SparseMerkleProof{SideNodes: apart(p.Siblings), NonMembershipLeafData: p.OtherLeaf()}
}

// Roots and proofs of maps are those of celestiaorg/smt, which verifies ours.
func TestMapsAgree(t *testing.T) {
	m, peer := smt.New(), celestia.NewSparseMerkleTree(celestia.NewSimpleMap(), celestia.NewSimpleMap(), sha256.New())
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		key, value := mapKey(rnd.Uint64N(60)), mapKey(rnd.Uint64())
		if rnd.IntN(3) > 0 {
			m.Set(key, value)
			check(peer.Update(key, value))
		} else if m.Delete(key) {
			check(peer.Delete(key))
		}
		root := m.Root()
		if !bytes.Equal(root[:], peer.Root()) && m.Len() > 0 {
			t.Fatal("another root")
		}
		for k := range uint64(70) {
			p, key := m.Prove(mapKey(k)), mapKey(k)
			want := check(peer.Prove(key))
			if !bytes.Equal(join(p.Siblings), bytes.Join(want.SideNodes, nil)) || !bytes.Equal(p.OtherLeaf(), want.NonMembershipLeafData) {
				t.Fatalf("key %d: another proof", k)
			}
			value := check(peer.Get(key)) // empty where it is absent
			if m.Len() > 0 && !celestia.VerifyProof(theirs(p), root[:], key, value, sha256.New()) {
				t.Fatalf("key %d: the peer refuses the proof", k)
			}
		}
	}
}

// existence is the proof of ics23 for a key that is there.
func existence(m *smt.Map, key, value []byte) *ics23.ExistenceProof {
	p, path := m.Prove(key), sha256.Sum256(key)
	proof := &ics23.ExistenceProof{Key: key, Value: value, Leaf: ics23.SmtSpec.LeafSpec}
	for i, sibling := range p.Siblings {
		op := &ics23.InnerOp{Hash: ics23.HashOp_SHA256, Prefix: []byte{1}}
		if at := len(p.Siblings) - 1 - i; path[at/8]>>(7-at%8)&1 == 0 {
			op.Suffix = sibling[:]
		} else {
			op.Prefix = append(op.Prefix, sibling[:]...)
		}
		proof.Path = append(proof.Path, op)
	}
	return proof
}

// ics23 verifies presence, and absence between the two keys whose paths are next
// to that of the absent one.
func TestICS23Verifies(t *testing.T) {
	m, value := smt.New(), []byte("value")
	var keys [][]byte
	for i := range uint64(50) {
		keys = append(keys, mapKey(i))
		m.Set(keys[i], value)
	}
	path := func(key []byte) []byte { h := sha256.Sum256(key); return h[:] }
	slices.SortFunc(keys, func(a, b []byte) int { return bytes.Compare(path(a), path(b)) })
	root := m.Root()
	for _, key := range keys {
		p := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: existence(m, key, value)}}
		if !ics23.VerifyMembership(ics23.SmtSpec, root[:], p, key, value) {
			t.Fatalf("membership of %x is refused", key)
		}
		if ics23.VerifyMembership(ics23.SmtSpec, root[:], p, key, []byte("other")) {
			t.Fatal("another value is accepted")
		}
	}
	for i := range uint64(100) {
		key := mapKey(1000 + i)
		at, _ := slices.BinarySearchFunc(keys, path(key), func(k, p []byte) int { return bytes.Compare(path(k), p) })
		absent := &ics23.NonExistenceProof{Key: key}
		if at > 0 {
			absent.Left = existence(m, keys[at-1], value)
		}
		if at < len(keys) {
			absent.Right = existence(m, keys[at], value)
		}
		p := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{Nonexist: absent}}
		if !ics23.VerifyNonMembership(ics23.SmtSpec, root[:], p, key) {
			t.Fatalf("absence of %x is refused", key)
		}
	}
}
