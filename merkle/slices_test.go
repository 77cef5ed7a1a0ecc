package merkle_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/require"
)

var long = flag.Bool("long", false, "compare a million random slices rather than two thousand")

// Of random slices of two trees, sessions find exactly the differences that are
// there: none is missed, none is invented.
func TestRandomSlices(t *testing.T) {
	count := 2000
	if *long {
		count = 1_000_000
	}
	rng := rand.New(rand.NewPCG(21, 4))
	ours, theirs := must(merkle.NewTree()), must(merkle.NewTree())
	var differ []uint64
	for range 100_000 {
		h, version := rng.Uint64(), rng.Uint64()
		switch rng.IntN(20) {
		case 0:
			ours.PutHash(h, version)
			differ = append(differ, h)
		case 1:
			theirs.PutHash(h, version)
			differ = append(differ, h)
		case 2:
			ours.PutHash(h, version)
			theirs.PutHash(h, version+1)
			differ = append(differ, h)
		default:
			ours.PutHash(h, version)
			theirs.PutHash(h, version)
		}
	}
	slices.Sort(differ)
	found := 0
	for i := range count {
		// From none to some twenty differences in a slice that does not wrap.
		r := merkle.Range{Start: rng.Uint64() >> 1}
		r.End = r.Start + 1 + rng.Uint64N((1<<63/15_000)*uint64(1+rng.IntN(20)))
		var want []uint64
		for _, h := range differ[sort.Search(len(differ), func(i int) bool { return differ[i] > r.Start }):] {
			if h > r.End {
				break
			}
			want = append(want, h)
		}
		a, b := must(ours.Initiate(merkle.WithRanges(r))), must(theirs.Respond(merkle.WithRanges(r)))
		var got []uint64
		var in []byte
		for done := false; !done; {
			var out []byte
			var err error
			out, done, err = a.Next(nil, in)
			require.NoError(t, err)
			for d := range a.Diffs() {
				got = append(got, d.Hash)
			}
			if len(out) > 0 {
				in, _, err = b.Next(nil, out)
				require.NoError(t, err)
			}
		}
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("slice %d, %v: %d differences found, want %d", i, r, len(got), len(want))
		}
		found += len(got)
	}
	t.Logf("%d slices, %d differences, all found", count, found)
}
