// Package hashing holds the shared core to its bars: the inlined integer hash,
// SipHash, what an addition costs beside its hash, one hash for four structures,
// and the envelope.
package hashing

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	"github.com/dchest/siphash"
	"github.com/distkit/distkit"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/hash64"
)

// Suite returns the bars of the hashing core.
func Suite() bar.Suite {
	var keys [1024][16]byte
	var ids [1024]uint64
	for i := range keys {
		ids[i] = uint64(i) * 0x9E3779B97F4A7C15
		binary.LittleEndian.PutUint64(keys[i][:], ids[i])
		binary.LittleEndian.PutUint64(keys[i][8:], uint64(i))
	}
	secret := distkit.Secret{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	s := bar.Suite{Package: "hashing", Bars: []bar.Bar{
		{
			Name: "Integer",
			Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				return func(n int) (sum uint64) {
					for i := range n {
						sum += hash64.Integer(ids[i&1023])
					}
					return sum
				}
			}},
			Peer: bar.Side{Impl: "xxhash.Sum64", New: func() func(int) uint64 {
				return func(n int) (sum uint64) {
					for i := range n {
						sum += xxhash.Sum64(keys[i&1023][:8])
					}
					return sum
				}
			}},
			Limit: 0.55,
		},
		{
			Name:  "Hash/key=16B",
			Ours:  over("distkit", &keys, func(k *[16]byte) uint64 { return distkit.Hash(k[:]) }),
			Peer:  over("xxhash.Sum64", &keys, func(k *[16]byte) uint64 { return xxhash.Sum64(k[:]) }),
			Limit: 1.1,
		},
		{
			Name:  "Secret.Hash/key=16B",
			Ours:  over("distkit", &keys, func(k *[16]byte) uint64 { return secret.Hash(k[:]) }),
			Peer:  over("dchest/siphash", &keys, func(k *[16]byte) uint64 { return siphash.Hash(0x0807060504030201, 0x100f0e0d0c0b0a09, k[:]) }),
			Limit: 1.2,
		},
	}}
	s.Bars = append(s.Bars, sketches(&keys)...)
	s.Bars = append(s.Bars, pipeline(&keys))
	s.Bars = append(s.Bars, images()...)
	return s
}

// over calls hash for every key in turn; the function value costs both sides
// the same.
func over(impl string, keys *[1024][16]byte, hash func(*[16]byte) uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		return func(n int) (sum uint64) {
			for i := range n {
				sum += hash(&keys[i&1023])
			}
			return sum
		}
	}}
}
