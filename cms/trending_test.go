package cms_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// past is Trending as its definition words it: all additions, each with its time.
type past struct {
	halfLife time.Duration
	events   map[uint64][]time.Time
	newest   time.Time
}

func newPast(halfLife time.Duration) *past {
	return &past{halfLife: halfLife, events: map[uint64][]time.Time{}}
}

func (p *past) add(at time.Time, h uint64) {
	p.events[h] = append(p.events[h], at)
	if at.After(p.newest) {
		p.newest = at
	}
}

func (p *past) score(at time.Time, h uint64) (sum float64) {
	if at.Before(p.newest) {
		at = p.newest
	}
	for _, e := range p.events[h] {
		// A Duration ends after 292 years, where a sum of floats does not.
		age := float64(at.Unix()-e.Unix())*1e9 + float64(at.Nanosecond()-e.Nanosecond())
		sum += math.Exp2(-age / float64(p.halfLife))
	}
	return sum
}

// within says whether a is at most b, but for rounding.
func within(a, b float64) bool { return a <= b+1e-10*b+1e-300 }

// certifiedTrend demands that the bounds of every item contain the truth, that no
// key beyond MinScore is missing, and that no score is below the truth.
func certifiedTrend(t *testing.T, k *cms.Trending, truth *past, at time.Time) {
	t.Helper()
	total := 0.0
	for h := range truth.events {
		n := truth.score(at, h)
		total += n
		require.True(t, within(n, k.ScoreStringAt(at, user(h))), "%v of %d is %v", n, h, k.ScoreStringAt(at, user(h)))
	}
	items := map[string]bool{}
	last := math.Inf(1)
	for it := range k.ItemsAt(at) {
		var h uint64
		_, err := fmt.Sscanf(it.Key, "user:%d", &h)
		require.NoError(t, err)
		n := truth.score(at, h)
		require.True(t, within(it.Score-it.Error, n) && within(n, it.Score), "%+v, truth is %v", it, n)
		require.GreaterOrEqual(t, last, it.Score)
		items[it.Key], last = true, it.Score
	}
	for h := range truth.events {
		require.True(t, items[user(h)] || within(truth.score(at, h), k.MinScoreAt(at)), "%d is missing", h)
	}
	require.InEpsilon(t, total+1e-300, k.TotalAt(at)+1e-300, 1e-9)
	checkTrend(t, k)
}

// checkTrend verifies what holds for every Trending.
func checkTrend(t *testing.T, k *cms.Trending) {
	t.Helper()
	require.NoError(t, k.CheckSlots())
	require.True(t, k.Equal(k.Clone()))
	if k.K() == 0 {
		return
	}
	g := new(cms.Trending)
	require.NoError(t, g.UnmarshalBinary(must(k.MarshalBinary())))
	require.True(t, k.Equal(g))
	require.NoError(t, g.CheckSlots())
}

// Clocks that run, stand, jump and step back, in small Trendings: the bounds hold
// after every addition, then and later.
func TestTrendingIsCertifiedAtEveryStep(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		halfLife := []time.Duration{time.Nanosecond, time.Millisecond, time.Minute, 10 * time.Hour}[round%4]
		k := must(cms.NewTrending(1+r.IntN(6), halfLife, cms.WithCounters(1+r.IntN(6))))
		truth, now := newPast(halfLife), noon
		for range 80 {
			steps := []float64{0, 0.01, 0.3, 3, -0.5, -40, 700, 90}
			now = now.Add(time.Duration(steps[min(r.IntN(20), 7)] * float64(halfLife)))
			h := min(r.Uint64N(20), r.Uint64N(20))
			score := k.AddStringAt(now, user(h))
			truth.add(now, h)
			require.True(t, within(truth.score(now, h), score), "round %d", round)
			require.Equal(t, score, k.ScoreHashAt(now, k.HashString(user(h))))
			certifiedTrend(t, k, truth, now)
			certifiedTrend(t, k, truth, now.Add(halfLife*2))
		}
		k.Reset()
		require.True(t, k.Equal(must(cms.NewTrending(k.K(), halfLife, cms.WithCounters(k.Counters())))))
	}
}

// Counts halve with every half-life, exactly, and reading changes nothing.
func TestTrendingHalves(t *testing.T) {
	k := must(cms.NewTrending(3, time.Hour))
	for range 32 {
		k.AddStringAt(noon, "old")
	}
	before := k.Clone()
	for n, want := range []float64{32, 16, 8, 4, 2, 1} {
		at := noon.Add(time.Duration(n) * time.Hour)
		require.InEpsilon(t, want, k.ScoreStringAt(at, "old"), 1e-12)
		require.InEpsilon(t, want, k.TotalAt(at), 1e-12)
		require.Equal(t, k.ScoreAt(at, []byte("old")), slices.Collect(k.ItemsAt(at))[0].Score)
	}
	require.Less(t, k.ScoreStringAt(noon.Add(100_000*time.Hour), "old"), 1e-300)
	require.Equal(t, k.ScoreStringAt(noon, "old"), k.ScoreStringAt(noon.Add(-time.Hour), "old"), "the past is as the newest addition saw it")
	require.True(t, k.Equal(before))

	// A key of now beats 32 of five half-lives ago and one.
	at := noon.Add(5*time.Hour + time.Minute)
	require.InDelta(t, 1, k.AddStringAt(at, "new"), 1e-12)
	require.Equal(t, "new", slices.Collect(k.ItemsAt(at))[0].Key)
	require.InDelta(t, 1, k.AddStringAt(noon.Add(100_000*time.Hour), "new"), 1e-12, "what was is forgotten")
	require.InDelta(t, 1, k.TotalAt(noon.Add(100_000*time.Hour)), 1e-12)
	checkTrend(t, k)
}

// What was popular goes when others come, whatever lead it had: each of ten days
// has leaders of its own, which a TopK would still not name on the tenth.
func TestTrendingFollowsTheDay(t *testing.T) {
	k := must(cms.NewTrending(20, 4*time.Hour))
	forever := must(cms.NewTopK(20))
	for day := range uint64(10) {
		next := testkit.Zipf(day, 1.1, 5000)
		n := 20_000 / (1 + int(day))
		for i := range n {
			at := noon.Add(time.Duration(day)*24*time.Hour + time.Duration(i)*24*time.Hour/time.Duration(n))
			key := user(day*1_000_000 + next())
			k.AddStringAt(at, key)
			forever.AddString(key)
		}
	}
	today, total := 0, 0
	for h := range uint64(10) {
		if k.Contains([]byte(user(9_000_000 + h))) {
			today++
		}
		if forever.ContainsString(user(9_000_000 + h)) {
			total++
		}
	}
	require.Equal(t, 10, today)
	require.LessOrEqual(t, total, 2)
}

// Thousands of half-lives of additions: counters are scaled again and again.
func TestTrendingLastsLong(t *testing.T) {
	k, truth := must(cms.NewTrending(4, time.Second, cms.WithCounters(16))), newPast(time.Second)
	r := rand.New(rand.NewPCG(3, 4))
	now := noon
	for range 400 {
		for range 5 {
			h := min(r.Uint64N(30), r.Uint64N(30))
			k.AddStringAt(now, user(h))
			truth.add(now, h)
		}
		now = now.Add(time.Duration(r.Int64N(int64(40 * time.Second))))
		certifiedTrend(t, k, truth, now)
	}
}

// The parts of a stream, whatever their landmarks, merge in any order to bounds
// for the whole.
func TestTrendingMerges(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 60 {
		truth, newest := newPast(time.Second), noon
		var parts []*cms.Trending
		for i := range 4 {
			k := must(cms.NewTrending(1+round%5, time.Second, cms.WithCounters(8)))
			for range r.IntN(40) * (i + round%2) {
				at := noon.Add(time.Duration(r.Int64N(int64(20*time.Second)) + int64(i*(round%7)*300)*int64(time.Second)))
				h := min(r.Uint64N(20), r.Uint64N(20))
				k.AddStringAt(at, user(h))
				truth.add(at, h)
				if at.After(newest) {
					newest = at
				}
			}
			parts = append(parts, k)
		}
		left, right := parts[0].Clone(), parts[3].Clone()
		require.NoError(t, left.Merge(parts[1]))
		require.NoError(t, right.Merge(parts[2]))
		untouched, reverse := left.Clone(), right.Clone()
		require.NoError(t, reverse.Merge(left))
		require.True(t, left.Equal(untouched), "merging changes the receiver only")
		require.NoError(t, left.Merge(right))
		require.True(t, left.Equal(reverse), "the order does not matter")
		certifiedTrend(t, left, truth, newest)
		left.AddStringAt(newest, user(3)) // and after the merge it goes on
		truth.add(newest, 3)
		certifiedTrend(t, left, truth, newest.Add(time.Second))
	}
}

// No clock, however wrong, makes a Trending panic, hang or overflow.
func TestTrendingWithstandsClocks(t *testing.T) {
	times := []time.Time{
		{},
		time.Unix(0, 0), time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 0), time.Unix(1<<62, 1e9), time.Unix(-1<<62, 0),
		noon, noon.AddDate(100, 0, 0), noon.AddDate(-300, 0, 0), time.Date(2262, 4, 11, 23, 47, 16, 0, time.UTC), time.Unix(-1, 999_999_999),
	}
	for _, halfLife := range []time.Duration{1, time.Hour, math.MaxInt64} {
		for i := range times {
			k := must(cms.NewTrending(2, halfLife, cms.WithCounters(4)))
			for j := range 3 * len(times) {
				at := times[(i+j*(i+1))%len(times)]
				score := k.AddStringAt(at, user(uint64(j%5)))
				require.True(t, score >= 0 && score <= float64(1+j), "%v after %d additions, last at %v", score, 1+j, at)
				for _, at := range times {
					total := k.TotalAt(at)
					require.True(t, total >= 0 && total <= float64(1+j)*(1+1e-9), "%v at %v", total, at)
				}
				checkTrend(t, k)
			}
		}
	}
}

// The power of two of weights is that of math, to the last bits.
func TestExp2(t *testing.T) {
	for i := range 128 * 1000 {
		f := float64(i) / (128 * 1000)
		require.InEpsilon(t, math.Exp2(f), cms.Exp2(f), 1e-15, "%v", f)
	}
	for _, f := range []float64{0, 1, 0.5, 1 + 0x1p-52, math.Nextafter(1, 0), math.Nextafter(0.5, 0), math.SmallestNonzeroFloat64} {
		require.InEpsilon(t, math.Exp2(f), cms.Exp2(f), 1e-15, "%v", f)
	}
	require.Equal(t, []float64{1, math.Sqrt2, 2}, []float64{cms.Exp2(0), cms.Exp2(0.5), cms.Exp2(1)})
}

// The forms without a time read the clock.
func TestTrendingReadsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := must(cms.NewTrending(2, time.Minute))
		for range 8 {
			k.Add([]byte("a"))
		}
		time.Sleep(time.Minute)
		require.InEpsilon(t, 5, k.AddString("a"), 1e-12)
		require.InEpsilon(t, 6, k.AddHash(k.HashString("a"), []byte("a")), 1e-12)
		time.Sleep(time.Minute)
		require.InEpsilon(t, 3, k.Score([]byte("a")), 1e-12)
		require.InEpsilon(t, 3, k.ScoreString("a"), 1e-12)
		require.InEpsilon(t, 3, k.ScoreHash(k.HashString("a")), 1e-12)
		k.AddAt(time.Now(), []byte("b"))
		k.AddHashAt(time.Now(), k.HashString("c"), []byte("c"))
		require.InEpsilon(t, 5, k.Total(), 1e-12)
		require.InEpsilon(t, 1, k.MinScore(), 1e-12)
		require.Len(t, slices.Collect(k.Items()), 2)
		require.True(t, k.ContainsString("a") && k.ContainsHash(k.HashString("a")) && !k.Contains([]byte("d")))
	})
}

func TestTrendingParameters(t *testing.T) {
	for want, err := range map[string]error{
		"cms: number of items is 0, want 1 to 2^24":                                       second(cms.NewTrending(0, 1)),
		"cms: half-life is 0s, want more than 0":                                          second(cms.NewTrending(1, 0)),
		"cms: half-life is -1ns, want more than 0":                                        second(cms.NewTrending(1, -1)),
		"cms: WithConservative does not apply to NewTrending":                             second(cms.NewTrending(1, 1, cms.WithConservative())),
		"cms: incompatible: merge with a zero Trending":                                   must(cms.NewTrending(5, 1)).Merge(new(cms.Trending)),
		"cms: incompatible: merge of half-lives of 1ns and of 2ns":                        must(cms.NewTrending(5, 1)).Merge(must(cms.NewTrending(5, 2))),
		"cms: incompatible: merge of Trendings with different secrets":                    must(cms.NewTrending(5, 1)).Merge(must(cms.NewTrending(5, 1, cms.WithSecret(secret)))),
		"cms: incompatible: merge of 5 items over 1024 counters a row and of 6 over 1024": must(cms.NewTrending(5, 1)).Merge(must(cms.NewTrending(6, 1))),
	} {
		require.EqualError(t, err, want)
	}
	var zero cms.Trending
	require.Zero(t, zero.ScoreString("a")+zero.Total()+zero.MinScore()+float64(zero.K())+float64(zero.HalfLife()))
	require.False(t, zero.Contains(nil))
	require.Empty(t, slices.Collect(zero.Items()))
	require.PanicsWithValue(t, "cms: Add to a zero Trending, make one with NewTrending", func() { zero.AddString("a") })
	require.PanicsWithValue(t, "cms: Merge into a zero Trending, make one with NewTrending", func() { _ = zero.Merge(must(cms.NewTrending(1, 1))) })
	checkTrend(t, &zero)

	k := must(cms.NewTrending(100, 2*time.Hour))
	require.Equal(t, 2*time.Hour, k.HalfLife())
	require.LessOrEqual(t, k.SizeBytes(), 40<<10)
	for range k.Items() {
		break // a loop may end early
	}
}

func TestTrendingAllocatesNothing(t *testing.T) {
	k := must(cms.NewTrending(10, time.Second))
	for i := range uint64(10) {
		k.AddStringAt(noon, user(i))
		k.AddStringAt(noon, user(i))
	}
	at, key, other := noon, []byte(user(3)), []byte("a key that is not admitted")
	testkit.NoAllocs(t, "Trending", func() {
		k.AddAt(at, key)
		k.AddHashAt(noon, 1234, other)
		k.ScoreAt(at, other)
		k.MinScoreAt(at)
		at = at.Add(time.Second) // scaling included
	})
}
