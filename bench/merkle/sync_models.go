package merkle

import (
	"fmt"

	"github.com/distkit/distkit/internal/hash64"
)

const (
	entrySize   = 16 // position and version
	fixedDepth  = 15
	fixedHash   = 32 // bytes of a node of Cassandra's tree
	segmentBits = 10 // twice: 1024 x 1024
	segmentHash = 8
)

// buckets sums the entries of each of 2^bits equal parts of the ring.
func buckets(es []entry, bits int) []uint64 {
	sums := make([]uint64, 1<<bits)
	for _, e := range es {
		sums[e.h>>(64-bits)] += hash64.Mix(e.h^hash64.Mix(e.v, 1), 2)
	}
	return sums
}

// fixedOf compares as Cassandra's repair does: one side sends its whole tree of
// depth 15, 32 bytes a leaf, and the rows of leaves that differ are listed by both
// sides. Keeping the trees up to date is not counted.
func fixedOf(p pair) func() traffic {
	sides := [2][]entry{p.all(0), p.all(1)}
	sums := [2][]uint64{buckets(sides[0], fixedDepth), buckets(sides[1], fixedDepth)}
	return func() traffic {
		sent := traffic{messages: 2, bytes: fixedHash << fixedDepth}
		differ := differing(sums[0], sums[1])
		return sent.lists(p, sides, differ, fixedDepth)
	}
}

// segmentsOf compares as Riak's active anti-entropy does: the sums of 1024 parts,
// those of the 1024 segments of each part that differs, the keys of each segment.
func segmentsOf(p pair) func() traffic {
	sides := [2][]entry{p.all(0), p.all(1)}
	low := [2][]uint64{buckets(sides[0], 2*segmentBits), buckets(sides[1], 2*segmentBits)}
	high := [2][]uint64{buckets(sides[0], segmentBits), buckets(sides[1], segmentBits)}
	return func() traffic {
		parts := len(differing(high[0], high[1]))
		sent := traffic{messages: 6, bytes: segmentHash << segmentBits * (1 + parts)}
		return sent.lists(p, sides, differing(low[0], low[1]), 2*segmentBits)
	}
}

func differing(a, b []uint64) map[uint64]bool {
	is := map[uint64]bool{}
	for i := range a {
		if a[i] != b[i] {
			is[uint64(i)] = true
		}
	}
	return is
}

// lists adds the lists of the entries of buckets, and finds what differs in them.
func (sent traffic) lists(p pair, sides [2][]entry, differ map[uint64]bool, bits int) traffic {
	count := map[entry]int{}
	for i, es := range sides {
		for _, e := range es {
			if differ[e.h>>(64-bits)] {
				sent.bytes += entrySize
				count[e] += 1 - 2*i
			}
		}
	}
	for _, n := range count {
		if n != 0 {
			sent.found++
		}
	}
	if sent.found != p.items {
		panic(fmt.Sprintf("lists show %d of %d items", sent.found, p.items))
	}
	return sent
}
