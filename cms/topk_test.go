package cms_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// certified demands that the bounds of every item contain the truth, that no key
// beyond MinCount is missing, and that no count is below the truth.
func certified(t *testing.T, k *cms.TopK, truth exact) {
	t.Helper()
	total := uint64(0)
	for h, n := range truth {
		total += n
		require.GreaterOrEqual(t, k.CountString(user(h)), n)
		require.True(t, n <= k.MinCount() || k.ContainsString(user(h)), "%d with %d of %d is missing", h, n, k.MinCount())
	}
	require.Equal(t, total, k.Total())
	for it := range k.Items() {
		var h uint64
		_, err := fmt.Sscanf(it.Key, "user:%d", &h)
		require.NoError(t, err)
		require.True(t, it.Count-it.Error <= truth[h] && truth[h] <= it.Count, "%v, truth is %d", it, truth[h])
	}
	checkTop(t, k)
}

// recall returns how many of the largest keys are items, as a share.
func recall(k *cms.TopK, truth exact) float64 {
	found := 0
	top := truth.top(k.K())
	for _, h := range top {
		if k.ContainsString(user(h)) {
			found++
		}
	}
	return float64(found) / float64(len(top))
}

func TestTopKFindsTheLargest(t *testing.T) {
	testkit.NotUnderInvariants(t)
	for _, c := range []struct {
		k, ranks, n int
		s, recall   float64
	}{
		{100, 1 << 18, 1 << 18, 1.1, 0.99},
		{10, 1 << 12, 1 << 14, 1.0, 0.9},
		{1, 50, 2000, 1.3, 1},
		{300, 200, 5000, 0.7, 1}, // all keys have a slot
		{20, 5000, 20_000, 0.3, 0},
	} {
		k := must(cms.NewTopK(c.k))
		stream, truth := zipf(7, c.s, uint64(c.ranks), c.n)
		for _, h := range stream {
			k.AddString(user(h))
		}
		require.GreaterOrEqual(t, recall(k, truth), c.recall, "%+v", c)
		certified(t, k, truth)
		if c.k == 100 {
			relative := 0.0
			for it := range k.Items() {
				var h uint64
				_, _ = fmt.Sscanf(it.Key, "user:%d", &h)
				relative += float64(it.Count-truth[h]) / float64(truth[h]) / 100
			}
			require.LessOrEqual(t, relative, 0.005)
			require.LessOrEqual(t, k.SizeBytes(), 32<<10)
		}
	}
}

// Streams of every kind in small TopKs, weights included: the certificate holds
// after every addition.
func TestTopKIsCertifiedAtEveryStep(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 24 {
		k := must(cms.NewTopK(1+r.IntN(8), cms.WithCounters(1+r.IntN(6))))
		truth := exact{}
		keys := 1 + r.Uint64N(40)
		for range 120 {
			h := min(r.Uint64N(keys), r.Uint64N(keys))
			n := []uint64{1, 1, 2, 9, 0}[r.IntN(5)]
			count := k.AddStringN(user(h), n)
			truth[h] += n
			require.GreaterOrEqual(t, count, truth[h], "round %d", round)
			require.Equal(t, count, k.CountString(user(h)))
			certified(t, k, truth)
		}
	}
}

// Parts of a stream, merged in any shape, are certified for the whole.
func TestTopKMergesWithItsCertificate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		k, width := 1+r.IntN(12), 1+r.IntN(20)
		truth := exact{}
		var parts []*cms.TopK
		for range 4 {
			p := must(cms.NewTopK(k, cms.WithCounters(width)))
			for range r.IntN(200) {
				h := min(r.Uint64N(50), r.Uint64N(50))
				p.AddStringN(user(h), 1+r.Uint64N(3))
			}
			parts = append(parts, p)
		}
		whole := must(cms.NewTopK(k, cms.WithCounters(width)))
		r2 := rand.New(rand.NewPCG(8, 9))
		for _, p := range parts {
			// What the parts hold is not known here, so each gets a stream of its own.
			p.Reset()
			for range 50 + r2.IntN(150) {
				h, n := min(r2.Uint64N(50), r2.Uint64N(50)), 1+r2.Uint64N(3)
				p.AddStringN(user(h), n)
				truth[h] += n
			}
		}
		left, right := parts[0].Clone(), parts[2].Clone()
		require.NoError(t, left.Merge(parts[1]))
		require.NoError(t, right.Merge(parts[3]))
		reverse := right.Clone()
		require.NoError(t, reverse.Merge(left))
		require.NoError(t, left.Merge(right))
		require.True(t, left.Equal(reverse), "the order does not matter")
		certified(t, left, truth)
		require.NoError(t, whole.Merge(left))
		certified(t, whole, truth)
		left.AddStringN(user(1), 5) // and after the merge it goes on
		left.AddStringN(user(60), 9)
		truth[1] += 5
		truth[60] += 9
		certified(t, left, truth)
	}
}

// Eight shards of a stream by the hash that a ring or a modulo would use, and by
// turns: merged, they find what one TopK finds.
func TestTopKMergedRecall(t *testing.T) {
	testkit.NotUnderInvariants(t)
	stream, truth := zipf(11, 1.1, 1<<18, 1<<18)
	var shards [8]*cms.TopK
	for i := range shards {
		shards[i] = must(cms.NewTopK(100))
	}
	for i, h := range stream {
		shards[i%8].AddString(user(h))
	}
	all := shards[0].Clone()
	for _, s := range shards[1:] {
		require.NoError(t, all.Merge(s))
	}
	require.GreaterOrEqual(t, recall(all, truth), 0.97)
	certified(t, all, truth)
}

// Counts beyond 32 bits in the rows behind the slots: the counters grow.
func TestTopKCountsBytes(t *testing.T) {
	k := must(cms.NewTopK(2, cms.WithCounters(8)))
	truth := exact{}
	for i := range uint64(50) {
		n := 3_000_000_000 + i
		k.AddStringN(user(i%10), n)
		truth[i%10] += n
	}
	require.True(t, k.TailWide())
	certified(t, k, truth)

	small := must(cms.NewTopK(2, cms.WithCounters(8)))
	for i := range uint64(5) {
		small.AddStringN(user(i), 3_000_000_000)
		truth[i] += 3_000_000_000
	}
	require.False(t, small.TailWide())
	both := small.Clone()
	require.NoError(t, both.Merge(k))
	require.NoError(t, k.Merge(small))
	require.True(t, both.Equal(k))
	certified(t, k, truth)

	// Cells of 32 bits whose sums have more.
	x, y := small.Clone(), small.Clone()
	require.NoError(t, x.Merge(y))
	require.True(t, x.TailWide())
	checkTop(t, x)

	k.AddStringN(user(1), math.MaxUint64)
	require.Equal(t, uint64(math.MaxUint64), k.CountString(user(1)))
	require.Equal(t, uint64(math.MaxUint64), k.Total())
	k.AddStringN("new", math.MaxUint64)
	require.True(t, k.ContainsString("new"))
	checkTop(t, k)
}

// An image with a few items decodes to little, and grows to all k.
func TestTopKGrowsAfterDecoding(t *testing.T) {
	few, truth := must(cms.NewTopK(100, cms.WithCounters(10))), exact{}
	few.AddString(user(1))
	truth.add(1)
	k := new(cms.TopK)
	require.NoError(t, k.UnmarshalBinary(must(few.MarshalBinary())))
	require.Less(t, k.SizeBytes(), few.SizeBytes()/2)
	stream, _ := zipf(1, 1, 200, 1000)
	for _, h := range stream {
		k.AddString(user(h))
		truth.add(h)
	}
	certified(t, k, truth)
}

func TestTopKKeys(t *testing.T) {
	k := must(cms.NewTopK(3))
	key := []byte("mine")
	k.Add(key)
	key[0] = 'x' // the key was copied
	k.AddN(nil, 5)
	k.AddString("b")
	k.AddHash(k.HashString("mine"), []byte("mine"))
	k.AddHashN(k.Hash([]byte("b")), []byte("b"), 9)
	require.Equal(t, []cms.Item{{"b", 10, 0}, {"", 5, 0}, {"mine", 2, 0}}, slices.Collect(k.Items()))
	require.True(t, k.Contains([]byte("mine")) && k.ContainsString("") && k.ContainsHash(k.HashString("b")) && !k.ContainsString("xine"))
	require.Equal(t, []uint64{2, 5, 10, 0}, []uint64{k.Count([]byte("mine")), k.CountString(""), k.CountHash(k.HashString("b")), k.CountString("xine")})
	for range k.Items() {
		break // a loop may end early
	}
	checkTop(t, k)
}

func TestTopKParameters(t *testing.T) {
	for want, err := range map[string]error{
		"cms: number of items is 0, want 1 to 2^24":                                       second(cms.NewTopK(0)),
		"cms: number of items is 16777217, want 1 to 2^24":                                second(cms.NewTopK(1<<24 + 1)),
		"cms: counters of WithCounters are 0, want 1 to 2^32":                             second(cms.NewTopK(1, cms.WithCounters(0))),
		"cms: WithConservative does not apply to NewTopK":                                 second(cms.NewTopK(1, cms.WithConservative())),
		"cms: WithWideCounters does not apply to NewTopK":                                 second(cms.NewTopK(1, cms.WithWideCounters())),
		"cms: option 0 of NewTopK is nil":                                                 second(cms.NewTopK(1, nil)),
		"cms: WithCounters does not apply to New":                                         second(cms.New(0.1, 0.1, cms.WithCounters(5))),
		"cms: incompatible: merge with a zero TopK":                                       must(cms.NewTopK(5)).Merge(new(cms.TopK)),
		"cms: incompatible: merge of TopKs with different secrets":                        must(cms.NewTopK(5)).Merge(must(cms.NewTopK(5, cms.WithSecret([16]byte{})))),
		"cms: incompatible: merge of 5 items over 1024 counters a row and of 6 over 1024": must(cms.NewTopK(5)).Merge(must(cms.NewTopK(6))),
	} {
		require.EqualError(t, err, want)
	}
	var zero cms.TopK
	require.Zero(t, zero.CountString("a")+zero.Total()+zero.MinCount()+uint64(zero.K()))
	require.False(t, zero.ContainsString("a"))
	require.Empty(t, slices.Collect(zero.Items()))
	require.PanicsWithValue(t, "cms: Add to a zero TopK, make one with NewTopK", func() { zero.AddString("a") })
	require.PanicsWithValue(t, "cms: Merge into a zero TopK, make one with NewTopK", func() { _ = zero.Merge(must(cms.NewTopK(1))) })
	checkTop(t, &zero)
}

func second[T any](_ T, err error) error { return err }

func TestTopKAllocatesNothing(t *testing.T) {
	k := must(cms.NewTopK(100))
	for i := range 100 {
		k.AddStringN(fmt.Sprint(i), 10)
	}
	key, other := []byte("50"), []byte("a key that is not admitted")
	testkit.NoAllocs(t, "TopK", func() {
		k.Add(key)
		k.AddString("7")
		k.AddHash(1234, other)
		k.AddN(key, 1<<31)
		k.Count(other)
	})
}
