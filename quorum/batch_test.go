package quorum_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

// fleet is nodes that take batches.
type fleet struct {
	mu    sync.Mutex
	delay map[string]time.Duration
	fault map[string]error
	got   map[string][]int
	ended map[string]error
}

func newFleet() *fleet {
	return &fleet{delay: map[string]time.Duration{}, fault: map[string]error{}, got: map[string][]int{}, ended: map[string]error{}}
}

func (f *fleet) call(ctx context.Context, node string, keys []int) error {
	f.mu.Lock()
	delay, err := f.delay[node], f.fault[node]
	if _, twice := f.got[node]; twice {
		panic("a second call to " + node)
	}
	f.got[node] = keys
	f.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended[node] = err
	return err
}

// spread gives key i the nodes i, i+1, i+2 of so many.
func spread(nodes, n int) func(int, []string) []string {
	return func(i int, buf []string) []string {
		for k := range n {
			buf = append(buf, fmt.Sprint("n", (i+k)%nodes))
		}
		return buf
	}
}

func TestWriteBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		for i := range 6 {
			f.delay[fmt.Sprint("n", i)] = time.Duration(i+1) * ms
		}
		f.fault["n1"] = errBoom
		f.delay["n5"] = time.Second
		c := build(t, 3, 2, 2)
		start := time.Now()
		errs := quorum.WriteBatch(t.Context(), c, 6, spread(6, 3), f.call)
		// key 0: 0 1 2 | 1: 1 2 3 | 2: 2 3 4 | 3: 3 4 5 | 4: 4 5 0 | 5: 5 0 1 waits for 5
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, make([]error, 6), errs)
		require.Equal(t, []int{0, 4, 5}, f.got["n0"])
		require.Len(t, f.got, 6)

		f = newFleet()
		f.delay["n0"] = time.Second
		f.fault["n1"], f.fault["n2"] = errBoom, errBoom
		ctx, cancel := context.WithCancel(t.Context())
		start = time.Now()
		errs = quorum.WriteBatch(ctx, c, 5, spread(6, 3), f.call)
		cancel()
		require.Zero(t, time.Since(start), "the slow one is not needed")
		for i, err := range errs {
			if i == 0 || i == 1 {
				require.ErrorIs(t, err, quorum.ErrNoQuorum)
				require.ErrorIs(t, err, errBoom)
				require.True(t, asError(t, err).Indeterminate())
				continue
			}
			require.NoError(t, err)
		}
		rest(2 * time.Second)
		require.NoError(t, f.ended["n0"], "it went on without its caller")
		require.EqualValues(t, 11, c.Stats().Writes)
		require.EqualValues(t, 12, c.Stats().Calls)
		check(t, c)
	})
}

func TestWriteBatchReturnsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.delay["n2"] = time.Second
		c := build(t, 3, 2, 2, quorum.WithMaxBackground(1))
		errs := quorum.WriteBatch(t.Context(), c, 4, spread(3, 3), f.call)
		require.Equal(t, make([]error, 4), errs)
		require.Equal(t, 1, c.Stats().Background)
		start := time.Now()
		g := newFleet()
		g.delay["n2"] = time.Second
		quorum.WriteBatch(t.Context(), c, 4, spread(3, 3), g.call)
		require.Equal(t, time.Second, time.Since(start), "no place in the background")
		ctx, cancel := context.WithTimeout(t.Context(), 5*ms)
		defer cancel()
		g = newFleet()
		for i := range 3 {
			g.delay[fmt.Sprint("n", i)] = time.Second
		}
		errs = quorum.WriteBatch(ctx, c, 4, spread(3, 3), g.call)
		for _, err := range errs {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Len(t, asError(t, err).Pending, 3)
		}
		synctest.Wait()
		require.ErrorIs(t, g.ended["n0"], context.Canceled, "three do not fit")
		for _, err := range quorum.WriteBatch(ctx, c, 4, spread(3, 3), g.call) {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.False(t, asError(t, err).Indeterminate())
		}
		check(t, c)
		require.ErrorIs(t, quorum.WriteBatch(t.Context(), c, 2, spread(3, 3), g.call)[1], quorum.ErrClosed)
	})
}

func TestWriteBatchStragglers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.delay["n1"], f.delay["n2"] = time.Hour, time.Hour
		c := build(t, 3, 2, 2, quorum.WithStragglerTimeout(time.Second))
		for _, err := range quorum.WriteBatch(t.Context(), c, 2, spread(3, 3), f.call) {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		synctest.Wait()
		check(t, c)
	})
}

func TestWriteBatchRefusesKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		c := build(t, 3, 2, 3, quorum.WithHealth(func(node string) bool { return node != "down" }))
		rows := [][]string{{"a", "b", "c"}, {"a", "b"}, {"a", "b", "a"}, {"a", "b", "down"}, {"x", "y", "z", "z"}}
		errs := quorum.WriteBatch(t.Context(), c, len(rows), func(i int, _ []string) []string { return rows[i] }, f.call)
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], quorum.ErrUnavailable)
		require.ErrorContains(t, errs[1], "2 nodes given, want 3")
		require.EqualError(t, errs[2], `quorum: node "a" is given twice`)
		require.ErrorIs(t, errs[3], quorum.ErrUnavailable)
		require.False(t, asError(t, errs[3]).Indeterminate())
		require.NoError(t, errs[4])
		require.Equal(t, []int{0}, f.got["a"])
		require.NotContains(t, f.got, "down")
		require.Empty(t, quorum.WriteBatch(t.Context(), c, 0, spread(3, 3), f.call))
		require.ErrorContains(t, quorum.WriteBatch(t.Context(), c, 1, nil, f.call)[0], "without prefs")
		synctest.Wait()
		check(t, c)
	})
}

func TestWriteBatchPermanentAndPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.fault["n0"] = quorum.Permanent(errBoom)
		f.delay["n1"], f.delay["n2"] = ms, ms
		c := build(t, 3, 2, 2)
		errs := quorum.WriteBatch(t.Context(), c, 1, spread(3, 3), f.call)
		require.ErrorIs(t, errs[0], errBoom)
		require.NotErrorIs(t, errs[0], quorum.ErrNoQuorum)
		errs = quorum.WriteBatch(t.Context(), c, 1, spread(3, 3), func(_ context.Context, node string, _ []int) error {
			if node == "n0" {
				panic("ouch")
			}
			exit()
			return nil
		})
		require.ErrorIs(t, errs[0], quorum.ErrNoQuorum)
		require.ErrorContains(t, errs[0], "ended its goroutine")
		synctest.Wait()
		check(t, c)
	})
}

// TestWriteBatchAgainstWrites: a batch decides each key as Write does.
func TestWriteBatchAgainstWrites(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	joint := system(t, "majority(a,b,c)", "majority(a,b,c)*majority(b,c,d)")
	for name, c := range map[string]*quorum.Coordinator{
		"count":     build(t, 4, 2, 3),
		"all":       build(t, 4, 1, 4),
		"system":    build(t, 4, 1, 1, quorum.WithSystem(joint)),
		"primaries": build(t, 4, 1, 1, quorum.WithPrimaries(0, 3)),
		"zones": build(t, 4, 1, 1, quorum.WithWriteLevel(quorum.EachZone(quorum.One())),
			quorum.WithZones(func(node string) string { return string('y' + (node[0]-'a')/2) })),
	} {
		for bad := range 1 << 4 {
			call := func(node string) error {
				if bad>>slices.Index(names, node)&1 == 1 {
					return errBoom
				}
				return nil
			}
			errs := quorum.WriteBatch(t.Context(), c, 4, func(i int, buf []string) []string {
				return append(append(buf, names[i:]...), names[:i]...)
			}, func(_ context.Context, node string, _ []int) error { return call(node) })
			_, want := quorum.Write(t.Context(), c, names, quorum.WriteOp{Call: func(_ context.Context, t quorum.Target) error { return call(t.Node) }})
			for _, err := range errs {
				require.Equal(t, want == nil, err == nil, "%s %b: %v, %v", name, bad, want, err)
			}
		}
		check(t, c)
	}
}
