package merkle

import (
	"sync"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	gotlog "golang.org/x/mod/sumdb/tlog"
)

// logs are the same million entries in each implementation.
type logs struct {
	ours   *tlog.Log
	leaves []merkle.Hash
	root   merkle.Hash
	td     *testonly.Tree
	xmod   stored
}

var sharedLogs = sync.OnceValue(func() logs {
	l, leaves := millionLog()
	all := logs{ours: l, leaves: leaves, root: l.Root(), td: testonly.New(rfc6962.DefaultHasher)}
	entry := make([]byte, logEntry)
	for i := range uint64(million) {
		all.td.AppendData(number(entry, i))
		all.xmod.add(int64(i), number(entry, i))
	}
	if merkle.Hash(all.td.Hash()) != all.root || merkle.Hash(check(gotlog.TreeHash(million, all.xmod))) != all.root {
		panic("the peers have other roots")
	}
	return all
})

// over prepares an operation on the shared logs and some proofs.
func over[P any](impl string, make func(logs, uint64) P, op func(logs, uint64, P) uint64) bar.Side {
	return always(impl, func() func(uint64) uint64 {
		l := sharedLogs()
		var at []uint64
		var proofs []P
		for i := range uint64(64) {
			at = append(at, 1+scattered(i, million-1))
			proofs = append(proofs, make(l, at[i]))
		}
		return func(i uint64) uint64 { return op(l, at[i%64], proofs[i%64]) }
	})
}

func inclusion(l logs, i uint64) []merkle.Hash { return check(l.ours.Inclusion(i, million)) }

func logProofBars() []bar.Bar {
	making := always("distkit", func() func(uint64) uint64 {
		l, buf := sharedLogs(), make([]merkle.Hash, 0, 64)
		return func(i uint64) uint64 {
			return uint64(check(l.ours.AppendInclusion(buf, scattered(i, million), million))[0][0])
		}
	})
	verifying := over("distkit", inclusion, func(l logs, i uint64, p []merkle.Hash) uint64 {
		must(tlog.VerifyInclusion(l.root, million, i, l.leaves[i], p))
		return i
	})
	tdHasher := rfc6962.DefaultHasher
	return []bar.Bar{
		{
			Name: "tlog AppendInclusion/n=1M", Limit: 0.15, Ours: making,
			Peer: always("transparency-dev", func() func(uint64) uint64 {
				l := sharedLogs()
				return func(i uint64) uint64 {
					return uint64(check(l.td.InclusionProof(scattered(i, million), million))[0][0])
				}
			}),
		},
		{
			Name: "tlog VerifyInclusion, x/mod/n=1M", Limit: 0.8, Ours: verifying,
			Peer: over("x/mod tlog", func(l logs, i uint64) gotlog.RecordProof { return check(gotlog.ProveRecord(million, int64(i), l.xmod)) },
				func(l logs, i uint64, p gotlog.RecordProof) uint64 {
					must(gotlog.CheckRecord(p, million, gotlog.Hash(l.root), int64(i), gotlog.Hash(l.leaves[i])))
					return i
				}),
		},
		{
			Name: "tlog VerifyInclusion/n=1M", Limit: 0.4, Ours: verifying,
			Peer: over("transparency-dev", func(l logs, i uint64) [][]byte { return check(l.td.InclusionProof(i, million)) },
				func(l logs, i uint64, p [][]byte) uint64 {
					must(proof.VerifyInclusion(tdHasher, i, million, l.leaves[i][:], p, l.root[:]))
					return i
				}),
		},
		{
			Name: "tlog VerifyConsistency/n=1M", Limit: 0.45,
			Ours: over("distkit", consistency, func(l logs, i uint64, p consistent[merkle.Hash]) uint64 {
				must(tlog.VerifyConsistency(p.old, i, l.root, million, p.hashes))
				return i
			}),
			Peer: over("transparency-dev", func(l logs, i uint64) consistent[[]byte] {
				return consistent[[]byte]{check(l.ours.RootAt(i)), check(l.td.ConsistencyProof(i, million))}
			}, func(l logs, i uint64, p consistent[[]byte]) uint64 {
				must(proof.VerifyConsistency(tdHasher, i, million, p.hashes, p.old[:], l.root[:]))
				return i
			}),
		},
		batchBar(),
	}
}

// consistent is a consistency proof and the old root.
type consistent[H any] struct {
	old    merkle.Hash
	hashes []H
}

func consistency(l logs, i uint64) consistent[merkle.Hash] {
	return consistent[merkle.Hash]{check(l.ours.RootAt(i)), check(l.ours.Consistency(i, million))}
}

// batchBar compares one proof of a thousand entries with a thousand proofs.
func batchBar() bar.Bar {
	return bar.Bar{
		Name: "tlog VerifyBatch of 1000/n=1M", Limit: 0.5,
		Ours: always("distkit", func() func(uint64) uint64 {
			l, indexes := sharedLogs(), batchOf()
			var leaves []merkle.Hash
			for _, i := range indexes {
				leaves = append(leaves, l.leaves[i])
			}
			p := check(l.ours.Batch(million, indexes...))
			return func(i uint64) uint64 {
				must(tlog.VerifyBatch(l.root, million, indexes, leaves, p))
				return i
			}
		}),
		Peer: always("1000 of its own", func() func(uint64) uint64 {
			l, indexes := sharedLogs(), batchOf()
			var proofs [][]merkle.Hash
			for _, i := range indexes {
				proofs = append(proofs, inclusion(l, i))
			}
			return func(i uint64) uint64 {
				for k, at := range indexes {
					must(tlog.VerifyInclusion(l.root, million, at, l.leaves[at], proofs[k]))
				}
				return i
			}
		}),
	}
}
