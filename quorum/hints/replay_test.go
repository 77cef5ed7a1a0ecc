package hints_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum/hints"
	"github.com/stretchr/testify/require"
)

func filled(t *testing.T, n int) *hints.Memory {
	t.Helper()
	m := hints.NewMemory(1 << 20)
	for i := range n {
		require.NoError(t, m.Put(hints.Hint{Owner: "a", Key: fmt.Sprint(i)}))
	}
	return m
}

// receiver counts how many sends run at once.
type receiver struct {
	mu        sync.Mutex
	now, most int
	got       []string
	delay     time.Duration
	fail      func(key string, atOnce int) error
}

func (r *receiver) send(ctx context.Context, h hints.Hint) error {
	r.mu.Lock()
	r.now++
	r.most = max(r.most, r.now)
	atOnce := r.now
	r.mu.Unlock()
	time.Sleep(r.delay)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now--
	if r.fail != nil {
		if err := r.fail(h.Key, atOnce); err != nil {
			return err
		}
	}
	r.got = append(r.got, h.Key)
	return ctx.Err()
}

func TestReplayDeliversInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := filled(t, 3)
		var r receiver
		require.NoError(t, hints.Replay(t.Context(), m, "a", r.send))
		require.Equal(t, []string{"0", "1", "2"}, slices.Sorted(slices.Values(r.got)))
		require.Equal(t, hints.Stats{Stored: 3, Delivered: 3}, m.Stats())
		require.NoError(t, hints.Replay(t.Context(), m, "a", r.send), "nothing waits")
	})
}

func TestReplayEndsWithTheFirstFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		m := filled(t, 9)
		r := receiver{delay: time.Millisecond, fail: func(key string, _ int) error {
			if key == "4" {
				return boom
			}
			return nil
		}}
		require.ErrorIs(t, hints.Replay(t.Context(), m, "a", r.send), boom)
		require.Less(t, len(r.got), 9, "only those under way end")
		left := pending(m, "a")
		require.Equal(t, 9-len(r.got), len(left))
		require.Equal(t, "4", left[0].Key)
		r.fail = nil
		require.NoError(t, hints.Replay(t.Context(), m, "a", r.send))
		require.Len(t, r.got, 9)
	})
}

func TestReplayAsksAsMuchAsTheOwnerBears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := filled(t, 400)
		r := receiver{delay: time.Millisecond, fail: func(_ string, atOnce int) error {
			if atOnce > 10 {
				return context.DeadlineExceeded
			}
			return nil
		}}
		rounds := 0
		for hints.Replay(t.Context(), m, "a", r.send) != nil {
			rounds++
			require.Less(t, rounds, 100)
		}
		require.Equal(t, 11, r.most, "never more than one above what it bears")
		require.Greater(t, rounds, 2)
		require.Less(t, rounds, 20, "it does not begin from one each time")

		m = filled(t, 5000)
		r = receiver{delay: time.Millisecond}
		start := time.Now()
		require.NoError(t, hints.Replay(t.Context(), m, "a", r.send))
		require.Equal(t, 64, r.most)
		require.Less(t, time.Since(start), 200*time.Millisecond)
	})
}

func TestReplayExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, s := range []hints.Store{filled(t, 0), open(t, t.TempDir())} {
			put(t, s, "a", "old", "")
			require.NoError(t, s.PutAt(noon.Add(time.Minute), hints.Hint{Owner: "a", Key: "young"}))
			var r receiver
			require.NoError(t, hints.ReplayAt(t.Context(), noon.Add(3*time.Hour+time.Second), s, "a", r.send))
			require.Equal(t, []string{"young"}, r.got)
			stats := s.(interface{ Stats() hints.Stats }).Stats()
			require.EqualValues(t, 1, stats.Expired)
			require.EqualValues(t, 1, stats.Delivered)
			put(t, s, "a", "old", "")
			require.NoError(t, hints.ReplayAt(t.Context(), noon.Add(2*time.Second), s, "a", r.send, hints.WithWindow(time.Second)))
			require.Empty(t, pending(s, "a"))
			require.Len(t, r.got, 1)
			require.NoError(t, s.Close())
		}
	})
}

// foreign is a Store that the package does not know.
type foreign struct{ hints.Store }

func TestReplayOfAForeignStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := hints.NewMemory(1000)
		put(t, m, "a", "old", "")
		require.NoError(t, hints.ReplayAt(t.Context(), noon.Add(4*time.Hour), foreign{m}, "a", new(receiver).send))
		require.EqualValues(t, 1, m.Stats().Delivered)
	})
}

func TestReplayRateAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := filled(t, 101)
		var r receiver
		start := time.Now()
		require.NoError(t, hints.Replay(t.Context(), m, "a", r.send, hints.WithRate(50)))
		require.Equal(t, 2*time.Second, time.Since(start))

		m = filled(t, 1)
		start = time.Now()
		require.NoError(t, hints.Replay(t.Context(), m, "a", r.send, hints.WithJitter(time.Minute)))
		require.Greater(t, time.Since(start), time.Duration(0))
		require.Less(t, time.Since(start), time.Minute)

		m = filled(t, 10)
		for _, opt := range []hints.ReplayOption{hints.WithRate(1), hints.WithJitter(time.Hour)} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
			require.ErrorIs(t, hints.Replay(ctx, m, "a", r.send, opt), context.DeadlineExceeded)
			cancel()
		}
		require.Len(t, pending(m, "a"), 9)
	})
}

func TestReplayRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := filled(t, 1)
		for want, opt := range map[string]hints.ReplayOption{
			"window is 0s, want > 0":       hints.WithWindow(0),
			"rate is 0 a second, want > 0": hints.WithRate(0),
			"jitter is -1ns, want 0":       hints.WithJitter(-1),
		} {
			require.ErrorContains(t, hints.Replay(t.Context(), m, "a", nil, opt), want)
		}
		r := receiver{delay: time.Second}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := hints.Replay(t.Context(), m, "a", r.send); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		require.ErrorIs(t, hints.Replay(t.Context(), m, "a", r.send), hints.ErrBusy)
		require.NoError(t, hints.Replay(t.Context(), m, "b", r.send))
		wg.Wait()
	})
}

// TestHandoff is the story of the textbooks: ring A B C D E, three copies, a key
// of A. A is down: D keeps it with a hint for A. A is back: D sends, then
// deletes; three copies are left.
func TestHandoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := map[string]map[string]string{"B": {"k": "v"}, "C": {"k": "v"}, "A": {}}
		atD := hints.NewMemory(1000)
		require.NoError(t, atD.Put(hints.Hint{Owner: "A", Key: "k", Value: []byte("v")}))
		require.Equal(t, []string{"A"}, atD.Owners())
		up := false
		send := func(_ context.Context, h hints.Hint) error {
			if !up {
				return errors.New("connection refused")
			}
			nodes[h.Owner][h.Key] = string(h.Value)
			return nil
		}
		require.Error(t, hints.Replay(t.Context(), atD, "A", send))
		require.Len(t, pending(atD, "A"), 1)
		up = true
		require.NoError(t, hints.Replay(t.Context(), atD, "A", send))
		require.Empty(t, atD.Owners())
		copies := 0
		for _, node := range nodes {
			copies += strings.Count(node["k"], "v")
		}
		require.Equal(t, 3, copies)
	})
}
