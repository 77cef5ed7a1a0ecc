package quorum_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

func system(t *testing.T, reads, writes string) *expr.System {
	t.Helper()
	r, err := expr.Parse(reads)
	require.NoError(t, err)
	w, err := expr.Parse(writes)
	require.NoError(t, err)
	s, err := expr.NewSystem(r, w)
	require.NoError(t, err)
	return s
}

func zoneOf(node string) string { return node[:1] }

func TestNewRefuses(t *testing.T) {
	zones := quorum.WithZones(zoneOf)
	grid := system(t, "a*b + c*d", "(a+b)*(c+d)")
	for want, opts := range map[string][]quorum.Option{
		"level is the zero Level":                                 {quorum.WithReadLevel(quorum.Level{})},
		"level Count(0) of 3 replicas, want 1 to 3":               {quorum.WithReadLevel(quorum.Count(0))},
		"level Count(4) of 3 replicas, want 1 to 3":               {quorum.WithWriteLevel(quorum.Count(4))},
		"level EachZone(Majority()) without WithZones":            {quorum.WithWriteLevel(quorum.EachZone(quorum.Majority()))},
		`level InZone("", All()) has no zone`:                     {zones, quorum.WithReadLevel(quorum.InZone("", quorum.All()))},
		"SomeZones(0, Count(1)) of 3 replicas, want 1 to 3 zones": {zones, quorum.WithReadLevel(quorum.SomeZones(0, quorum.One()))},
		"EachZone(Level{}) has no level":                          {zones, quorum.WithReadLevel(quorum.EachZone(quorum.InZone("z", quorum.One())))},
		"EachZone(Level{}) has no level for":                      {zones, quorum.WithReadLevel(quorum.EachZone(quorum.Level{}))},
		"WithZones(nil), want a function":                         {quorum.WithZones(nil)},
		"WithHealth(nil), want a function":                        {quorum.WithHealth(nil)},
		"WithObserver(nil), want a function":                      {quorum.WithObserver(nil)},
		"stand-ins are -1, want 0 or more":                        {quorum.WithSloppy(-1)},
		"primaries are 4 and 0, want 0 to n, 3":                   {quorum.WithPrimaries(4, 0)},
		"primaries are 0 and -1":                                  {quorum.WithPrimaries(0, -1)},
		"repair mode is 3":                                        {quorum.WithRepair(3)},
		"background calls are -1":                                 {quorum.WithMaxBackground(-1)},
		"straggler timeout is 0s, want > 0":                       {quorum.WithStragglerTimeout(0)},
		"system is nil or zero":                                   {quorum.WithSystem(nil)},
		"system is nil or zero, want":                             {quorum.WithSystem(&expr.System{})},
		"level beside a system":                                   {quorum.WithSystem(grid), quorum.WithReadLevel(quorum.One())},
		"n is 3 and the system has 4 nodes":                       {quorum.WithSystem(grid)},
	} {
		_, err := quorum.New(3, 2, 2, opts...)
		require.ErrorContains(t, err, want)
	}
	for want, nrw := range map[string][3]int{
		"n is 0, want 1 to 64":   {0, 1, 1},
		"n is 65, want 1 to 64":  {65, 1, 1},
		"r is 0, want 1 to n, 3": {3, 0, 1},
		"r is 4, want 1 to n, 3": {3, 4, 1},
		"w is 0, want 1 to n, 3": {3, 1, 0},
		"w is 4, want 1 to n, 3": {3, 1, 4},
	} {
		_, err := quorum.New(nrw[0], nrw[1], nrw[2])
		require.ErrorContains(t, err, want)
	}
	c := build(t, 3, 2, 2)
	_, err := c.With(quorum.WithMaxBackground(5))
	require.ErrorContains(t, err, "WithMaxBackground on a view")
	_, err = view(t, c, quorum.WithSystem(grid)).With(quorum.WithReadLevel(quorum.One()))
	require.ErrorContains(t, err, "level beside a system")
	_, err = c.With(quorum.WithReadLevel(quorum.Level{}))
	require.ErrorContains(t, err, "zero Level")
}

func TestZeroCoordinator(t *testing.T) {
	for _, c := range []*quorum.Coordinator{nil, {}} {
		require.False(t, c.Strict())
		require.Equal(t, quorum.Stats{}, c.Stats())
		require.NoError(t, c.Close(t.Context()))
		_, err := c.With()
		require.ErrorContains(t, err, "New did not make")
		require.PanicsWithValue(t, "quorum: Read on a Coordinator that New did not make", func() {
			_, _ = quorum.Read(t.Context(), c, abc, newCluster().op())
		})
		require.PanicsWithValue(t, "quorum: Write on a Coordinator that New did not make", func() {
			_, _ = quorum.Write(t.Context(), c, abc, newCluster().writeOp())
		})
		require.PanicsWithValue(t, "quorum: WriteBatch on a Coordinator that New did not make", func() {
			quorum.WriteBatch(t.Context(), c, 1, spread(3, 3), newFleet().call)
		})
	}
}

func TestStrictByArithmetic(t *testing.T) {
	for n := 1; n <= 7; n++ {
		for r := 1; r <= n; r++ {
			for w := 1; w <= n; w++ {
				require.Equal(t, r+w > n, build(t, n, r, w).Strict(), "%d %d %d", n, r, w)
			}
		}
	}
	c := build(t, 3, 1, 1, quorum.WithSloppy(2))
	require.False(t, c.Strict())
	require.True(t, view(t, c, quorum.WithPrimaries(2, 2)).Strict())
	require.False(t, view(t, c, quorum.WithReadLevel(quorum.All())).Strict())
	require.True(t, view(t, c, quorum.WithReadLevel(quorum.All()), quorum.WithSloppy(0)).Strict())
	joint := system(t, "majority(a,b,c)", "majority(a,b,c)*majority(b,c,d)")
	require.True(t, view(t, c, quorum.WithSystem(joint), quorum.WithSloppy(0)).Strict())
	require.False(t, view(t, c, quorum.WithSystem(joint)).Strict())
}

// plain is a level by its meaning: need(size) replicas of a zone, in every zone
// of those that wanted picks by index, or in so many of them.
type plain struct {
	level quorum.Level
	zone  int // -1: there are no zones, -2: each, -3: some of them
	some  int
	need  func(size int) int
}

func plainLevels() []plain {
	count := func(k int) func(int) int { return func(int) int { return k } }
	var out []plain
	for _, share := range []plain{
		{level: quorum.One(), need: count(1)},
		{level: quorum.Count(2), need: count(2)},
		{level: quorum.Majority(), need: func(size int) int { return size/2 + 1 }},
		{level: quorum.All(), need: func(size int) int { return size }},
	} {
		l := share.level
		out = append(out, plain{l, -1, 0, share.need},
			plain{quorum.InZone("a", l), 0, 0, share.need}, plain{quorum.InZone("b", l), 1, 0, share.need},
			plain{quorum.EachZone(l), -2, 0, share.need},
			plain{quorum.SomeZones(1, l), -3, 1, share.need}, plain{quorum.SomeZones(2, l), -3, 2, share.need})
	}
	return out
}

// holds reports whether the set meets the level when replica i is in zones[i].
func (p plain) holds(set int, zones []int) bool {
	var got, size [8]int
	for i, z := range zones {
		if p.zone == -1 {
			z = 0
		}
		size[z]++
		got[z] += set >> i & 1
	}
	good, all := 0, 0
	for z := range size {
		if size[z] == 0 || p.zone >= 0 && p.zone != z {
			continue
		}
		all++
		if got[z] >= p.need(size[z]) {
			good++
		}
	}
	if p.zone == -3 {
		return good >= p.some
	}
	return good == all && all > 0
}

// TestStrictAgainstAllSpreads compares Strict of zone levels with a search over
// every spread of a few replicas and every pair of sets.
func TestStrictAgainstAllSpreads(t *testing.T) {
	levels := plainLevels()
	yes := 0
	for n := 2; n <= 5; n++ {
		apart := make(map[[2]int]bool)
		zones := make([]int, n)
		for code := 0; code < pow(n, n); code++ {
			for i, rest := 0, code; i < n; i, rest = i+1, rest/n {
				zones[i] = rest % n
			}
			met := make([]uint64, len(levels)) // bit s: set s meets the level; mirror: its complement does
			mirror := make([]uint64, len(levels))
			for i, l := range levels {
				for set := range 1 << n {
					if l.holds(set, zones) {
						met[i] |= 1 << set
						mirror[i] |= 1 << ((1<<n - 1) &^ set)
					}
				}
			}
			for i := range levels {
				for j := range levels {
					if met[i]&mirror[j] != 0 {
						apart[[2]int{i, j}] = true
					}
				}
			}
		}
		for i, read := range levels {
			for j, write := range levels {
				c := build(t, n, 1, 1, quorum.WithZones(zoneOf), quorum.WithReadLevel(read.level), quorum.WithWriteLevel(write.level))
				require.Equal(t, !apart[[2]int{i, j}], c.Strict(), "n=%d read %v write %v", n, read.level, write.level)
				if c.Strict() {
					yes++
				}
			}
		}
	}
	require.Greater(t, yes, 100)
}

func pow(base, exp int) int {
	out := 1
	for range exp {
		out *= base
	}
	return out
}

func TestZoneLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		prefs := []string{"a1", "b1", "c1", "a2", "b2", "c2"}
		for i, node := range prefs {
			s.delay[node] = time.Duration(i+1) * ms
		}
		c := build(t, 6, 1, 1, quorum.WithZones(zoneOf))
		for _, x := range []struct {
			level quorum.Level
			want  time.Duration
		}{
			{quorum.One(), 1 * ms},
			{quorum.Majority(), 4 * ms},
			{quorum.All(), 6 * ms},
			{quorum.InZone("b", quorum.One()), 2 * ms},
			{quorum.InZone("b", quorum.Majority()), 5 * ms},
			{quorum.EachZone(quorum.One()), 3 * ms},
			{quorum.EachZone(quorum.Majority()), 6 * ms},
			{quorum.SomeZones(2, quorum.One()), 2 * ms},
			{quorum.SomeZones(2, quorum.All()), 5 * ms},
		} {
			start := time.Now()
			_, err := quorum.Write(t.Context(), view(t, c, quorum.WithWriteLevel(x.level)), prefs, s.writeOp())
			require.NoError(t, err)
			require.Equal(t, x.want, time.Since(start), "%v", x.level)
			rest(10 * ms)
		}
		s.fault["a1"] = errBoom
		_, err := quorum.Write(t.Context(), view(t, c, quorum.WithWriteLevel(quorum.EachZone(quorum.All()))), prefs, quorum.WriteOp{Call: s.writeOp().Call})
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		require.Len(t, asError(t, err).Pending, 5, "lost with the first failure")
		before := len(s.asked)
		for _, level := range []quorum.Level{quorum.InZone("x", quorum.One()), quorum.SomeZones(4, quorum.One()), quorum.InZone("a", quorum.Count(3))} {
			_, err = quorum.Write(t.Context(), view(t, c, quorum.WithWriteLevel(level)), prefs, s.writeOp())
			require.ErrorIs(t, err, quorum.ErrUnavailable)
		}
		rest(10 * ms)
		require.Len(t, s.asked, before)
		nowhere := view(t, c, quorum.WithZones(func(string) string { return "" }), quorum.WithWriteLevel(quorum.EachZone(quorum.One())))
		_, err = quorum.Write(t.Context(), nowhere, prefs, s.writeOp())
		require.EqualError(t, err, `quorum: node "a1" has no zone`)
		check(t, c)
	})
}

func TestSystems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		for i, node := range []string{"d", "c", "b", "a"} { // d answers first
			s.delay[node] = time.Duration(i+1) * ms
		}
		c := build(t, 4, 1, 1, quorum.WithSystem(system(t, "a*b + c*d", "(a+b)*(c+d)")))
		prefs := []string{"b", "d", "a", "c"}
		start := time.Now()
		res, err := quorum.Read(t.Context(), c, prefs, s.op())
		require.NoError(t, err)
		require.Equal(t, 2*ms, time.Since(start))
		require.Equal(t, []string{"d", "c"}, []string{res.Replies[0].Target.Node, res.Replies[1].Target.Node}, "in the order of prefs")
		start = time.Now()
		receipt, err := quorum.Write(t.Context(), c, prefs, s.writeOp())
		require.NoError(t, err)
		require.Equal(t, 3*ms, time.Since(start))
		require.Equal(t, []string{"b", "d", "c"}, receipt.Acked)

		s.fault = map[string]error{"d": errBoom, "a": errBoom}
		start = time.Now()
		_, err = quorum.Read(t.Context(), c, prefs, s.op())
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		require.Equal(t, 4*ms, time.Since(start))
		for _, bad := range [][]string{{"a", "b", "c", "x"}, {"x", "a", "b", "c", "d"}} {
			before := len(s.asked)
			_, err = quorum.Read(t.Context(), c, bad, s.op())
			require.EqualError(t, err, `quorum: node "x" is not in the system`)
			require.Len(t, s.asked, before)
		}
		rest(10 * ms)
		check(t, c)
	})
}

func TestJointWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 9 * ms, "d": 5 * ms}
		c := build(t, 3, 2, 2)
		joint := view(t, c, quorum.WithSystem(system(t, "majority(a,b,c)", "majority(a,b,c)*majority(b,c,d)")))
		start := time.Now()
		receipt, err := quorum.Write(t.Context(), joint, []string{"a", "b", "c", "d"}, s.writeOp())
		require.NoError(t, err)
		require.Equal(t, 5*ms, time.Since(start))
		require.Equal(t, []string{"a", "b", "d"}, receipt.Acked)
		_, err = quorum.Write(t.Context(), joint, abc, s.writeOp())
		require.ErrorIs(t, err, quorum.ErrUnavailable)
		rest(10 * ms)
		check(t, c)
		require.EqualValues(t, 2, c.Stats().Writes, "views count together")
	})
}

func TestHistogram(t *testing.T) {
	for d := time.Duration(1); d < time.Minute; d += 1 + d/7 {
		lo, hi := quorum.HistogramBucket(d)
		require.LessOrEqual(t, lo, d)
		require.Greater(t, hi, d)
		if lo > 0 {
			require.LessOrEqual(t, hi-lo, lo/8)
		}
	}
	lo, _ := quorum.HistogramBucket(time.Hour)
	require.Greater(t, lo, time.Minute)
}
