package merkle

import (
	"bytes"
	"crypto/sha256"
	"sync"

	celestia "github.com/celestiaorg/smt"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/smt"
)

// mapKeys is how many keys the maps have. Keys from there on are absent.
const mapKeys = 100_000

func mapKey(i uint64) []byte { return number(make([]byte, 8), i) }

// ourMap is one map for all bars, which change it; freshRoot is its first root.
var (
	ourMap = sync.OnceValue(func() *smt.Map {
		m := smt.New()
		for i := range uint64(mapKeys) {
			m.Set(mapKey(i), mapKey(i))
		}
		freshRoot = m.Root()
		return m
	})
	freshRoot merkle.Hash
)

var theirMap = sync.OnceValue(func() *celestia.SparseMerkleTree {
	m := celestia.NewSparseMerkleTree(celestia.NewSimpleMap(), celestia.NewSimpleMap(), sha256.New())
	for i := range uint64(mapKeys) {
		check(m.Update(mapKey(i), mapKey(i)))
	}
	if ourMap(); !bytes.Equal(m.Root(), freshRoot[:]) {
		panic("the peer has another root")
	}
	return m
})

func mapBars() []bar.Bar {
	update := always("celestiaorg/smt", func() func(uint64) uint64 {
		m := theirMap()
		return func(i uint64) uint64 {
			root := check(m.Update(mapKey(scattered(i, mapKeys)), mapKey(i+1)))
			return uint64(root[0])
		}
	})
	absent := func(i uint64) []byte { return mapKey(mapKeys + i%64) }
	return []bar.Bar{
		{
			Name: "smt Map.Set, Root/n=100k", Limit: 0.25, Peer: update,
			Ours: setting(1),
		},
		{
			Name: "smt Map.Set, Root after 1000/n=100k", Limit: 0.1, Peer: update, Allocs: bar.AnyAllocs,
			Ours: setting(1000),
		},
		{
			Name: "smt Map.Prove/n=100k", Limit: 0.05, Allocs: bar.AnyAllocs,
			Ours: always("distkit", func() func(uint64) uint64 {
				m := ourMap()
				m.Root()
				return func(i uint64) uint64 { return uint64(len(m.Prove(mapKey(scattered(i, 2*mapKeys))).Siblings)) }
			}),
			Peer: always("celestiaorg/smt", func() func(uint64) uint64 {
				m := theirMap()
				return func(i uint64) uint64 { return uint64(len(check(m.Prove(mapKey(scattered(i, 2*mapKeys)))).SideNodes)) }
			}),
		},
		{
			Name: "smt Proof.VerifyAbsent/n=100k", Limit: 0.35,
			Ours: always("distkit", func() func(uint64) uint64 {
				m := ourMap()
				root := m.Root()
				var proofs []smt.Proof
				var keys [][]byte
				for i := range uint64(64) {
					keys, proofs = append(keys, absent(i)), append(proofs, m.Prove(absent(i)))
				}
				return func(i uint64) uint64 {
					must(proofs[i%64].VerifyAbsent(root, keys[i%64]))
					return i
				}
			}),
			Peer: always("celestiaorg/smt", func() func(uint64) uint64 {
				m, h := theirMap(), sha256.New()
				root := m.Root()
				var proofs []celestia.SparseMerkleProof
				var keys [][]byte
				for i := range uint64(64) {
					keys, proofs = append(keys, absent(i)), append(proofs, check(m.Prove(absent(i))))
				}
				return func(i uint64) uint64 {
					if !celestia.VerifyProof(proofs[i%64], root, keys[i%64], nil, h) {
						panic(merkle.ErrProof)
					}
					return i
				}
			}),
		},
	}
}

// setting takes the root after so many sets.
func setting(every uint64) bar.Side {
	return always("distkit", func() func(uint64) uint64 {
		m := ourMap()
		key, value := make([]byte, 8), make([]byte, 8)
		return func(i uint64) uint64 {
			m.Set(number(key, scattered(i, mapKeys)), number(value, i+1))
			if i%every == every-1 {
				root := m.Root()
				return uint64(root[0])
			}
			return 1
		}
	})
}
