package hll_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// windowTwin remembers every key with the pane of its time.
type windowTwin struct {
	width, panes int64
	newest       int64
	keys         map[int64]map[uint64]bool
}

// pane returns the number of a pane near the epoch: it counts from one long before.
func (w *windowTwin) pane(now time.Time) int64 {
	const before = 1 << 20
	return (now.UnixNano()+before*w.width)/w.width - before
}

// add says whether the key is new to its pane and not too late.
func (w *windowTwin) add(now time.Time, h uint64) bool {
	k := w.pane(now)
	if len(w.keys) == 0 || k > w.newest {
		w.newest = k
	}
	if k <= w.newest-w.panes || w.keys[k][h] {
		return false
	}
	if w.keys[k] == nil {
		w.keys[k] = map[uint64]bool{}
	}
	w.keys[k][h] = true
	return true
}

// at returns the keys of the panes that are live at a time.
func (w *windowTwin) at(now time.Time) (hs []uint64) {
	newest := max(w.pane(now), w.newest)
	for k, keys := range w.keys {
		if k > newest-w.panes {
			for h := range keys {
				hs = append(hs, h)
			}
		}
	}
	return hs
}

// merge takes in what other saw.
func (w *windowTwin) merge(other *windowTwin) {
	for k, keys := range other.keys {
		for h := range keys {
			w.add(time.Unix(0, k*w.width), h)
		}
	}
}

func checkWindow(t *testing.T, w *hll.Window) {
	t.Helper()
	image := must(w.MarshalBinary())
	var d hll.Window
	require.NoError(t, d.UnmarshalBinary(image))
	require.True(t, w.Equal(&d) && w.Equal(w.Clone()))
	require.Equal(t, image, must(d.MarshalBinary()))
	require.True(t, w.UnionIsRight() && d.UnionIsRight())
}

// Whatever the order of times, each query sees what the panes of its time hold.
func TestWindowIsItsTwin(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 71))
		n := 2 + rng.IntN(8)
		d := time.Duration(1_000 + rng.IntN(1_000))
		width := (int64(d) + int64(n) - 2) / int64(n-1)
		opts := []hll.Option{hll.WithPanes(n)}
		if seed%3 == 0 {
			opts = append(opts, hll.WithDense())
		}
		both := func() (*hll.Window, *windowTwin) {
			return must(hll.NewWindow(6, d, opts...)), &windowTwin{width: width, panes: int64(n), keys: map[int64]map[uint64]bool{}}
		}
		w, twin := both()
		other, otherTwin := both()
		now := time.Unix(0, -5_000) // and over the epoch
		for i := range 3_000 {
			now = now.Add(time.Duration(rng.IntN(20)))
			at := now.Add(-time.Duration(rng.ExpFloat64() * float64(d) / 4)) // some are late
			h := uint64(rng.IntN(100 + i))
			if rng.IntN(3) == 0 {
				otherTwin.add(at, h)
				other.AddHashAt(at, h)
				continue
			}
			changed := twin.add(at, h)
			before := w.Clone()
			got := w.AddHashAt(at, h)
			require.True(t, changed || !got, "what its pane knows changes nothing")
			require.Equal(t, got, !w.Equal(before))
			if i%100 == 0 {
				for _, later := range []time.Duration{-d, 0, d / 3, d, 2 * d} {
					want := must(hll.New(6, opts[1:]...))
					for _, h := range twin.at(now.Add(later)) {
						want.AddHash(h)
					}
					require.Equal(t, want.Estimate(), w.EstimateAt(now.Add(later)))
					require.Equal(t, want.Clone().Estimate(), w.SnapshotAt(now.Add(later)).Estimate())
				}
				checkWindow(t, w)
			}
			if i%1000 == 999 {
				twin.merge(otherTwin)
				require.NoError(t, w.Merge(other))
				checkWindow(t, w)
			}
		}
	}
}

// A key counts for at least the window and at most a pane more.
func TestWindowForgetsInTime(t *testing.T) {
	const d = 700 * time.Second
	for offset := range 100 {
		start := time.Unix(int64(1e9+offset*7), 0)
		w := must(hll.NewWindow(10, d))
		w.AddStringAt(start, "a")
		require.Equal(t, uint64(1), w.EstimateAt(start.Add(d)))
		require.Zero(t, w.EstimateAt(start.Add(d+100*time.Second)))
		require.False(t, w.AddStringAt(start, "a"))
		require.True(t, w.AddAt(start.Add(d), []byte("b")))
		require.Equal(t, uint64(2), w.EstimateAt(start))
		w.AddStringAt(start.Add(d+100*time.Second), "c")
		require.Equal(t, uint64(2), w.EstimateAt(start.Add(d+100*time.Second)), "b and c")
		require.False(t, w.AddStringAt(start, "d"), "too late")
		require.True(t, w.AddStringAt(start.Add(d), "d"), "late, but live")
		require.Equal(t, uint64(3), w.EstimateAt(start), "the clock is set back: nothing is lost")
		checkWindow(t, w)
	}
}

func TestWindowByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := must(hll.NewWindow(12, time.Minute, hll.WithPanes(7)))
		for i := range 300 { // each key for ten seconds, each second a new one
			for j := range 10 {
				key := strconv.Itoa(i + j)
				require.Equal(t, w.Hash([]byte(key)), w.HashString(key))
				switch j % 3 {
				case 0:
					w.AddString(key)
				case 1:
					w.Add([]byte(key))
				case 2:
					w.AddHash(w.HashString(key))
				}
			}
			time.Sleep(time.Second)
			if i > 80 {
				n := int(w.Estimate())
				require.True(t, 60+9-1 <= n && n <= 70+9+1, "%d keys", n)
				require.Equal(t, n, int(w.Snapshot().Estimate()))
			}
		}
		time.Sleep(61 * time.Second)
		require.LessOrEqual(t, int(w.Estimate()), 20)
		time.Sleep(10 * time.Second)
		require.Zero(t, w.Estimate())
		require.True(t, w.AddString("back again"))
		require.Equal(t, uint64(1), w.Estimate())
	})
}

// Windows of several nodes, whose keys and times overlap, merge to the window that
// saw all.
func TestWindowMergeIsUnion(t *testing.T) {
	rng := rand.New(rand.NewPCG(73, 74))
	for range 30 {
		var parts [3]*hll.Window
		for i := range parts {
			parts[i] = must(hll.NewWindow(8, time.Hour))
		}
		whole := must(hll.NewWindow(8, time.Hour))
		start := time.Unix(rng.Int64N(2e9)-1e9, 0)
		n := rng.IntN(3000)
		for i := range n {
			at := start.Add(time.Duration(i) * 3 * time.Hour / time.Duration(n))
			h := rng.Uint64N(uint64(n))
			whole.AddHashAt(at, h)
			parts[rng.IntN(3)].AddHashAt(at, h)
			parts[rng.IntN(3)].AddHashAt(at, h)
		}
		before := parts[1].Clone()
		merged, reverse := parts[0].Clone(), parts[2].Clone()
		require.NoError(t, merged.Merge(parts[1]))
		require.NoError(t, merged.Merge(parts[2]))
		require.NoError(t, reverse.Merge(parts[1]))
		require.NoError(t, reverse.Merge(parts[0]))
		require.True(t, before.Equal(parts[1]))
		require.True(t, merged.Equal(whole) && reverse.Equal(whole))
		require.NoError(t, merged.Merge(merged))
		require.NoError(t, merged.Merge(must(hll.NewWindow(9, time.Hour))), "an empty one, finer")
		require.True(t, merged.Equal(whole))
		checkWindow(t, merged)
	}
	fine, coarse := must(hll.NewWindow(9, time.Hour, hll.WithDense())), must(hll.NewWindow(6, time.Hour, hll.WithDense()))
	want := coarse.Clone()
	for i := range uint64(5000) {
		fine.AddHashAt(time.Unix(int64(i), 0), i)
		want.AddHashAt(time.Unix(int64(i), 0), i)
	}
	require.NoError(t, coarse.Merge(fine))
	require.True(t, coarse.Equal(want), "folded")

	for _, bad := range []*hll.Window{
		nil,
		{},
		must(hll.NewWindow(5, time.Hour)),
		must(hll.NewWindow(6, time.Hour+1)),
		must(hll.NewWindow(6, time.Hour, hll.WithPanes(9))),
		must(hll.NewWindow(6, time.Hour, hll.WithSecret([16]byte{}))),
	} {
		require.ErrorIs(t, coarse.Merge(bad), hll.ErrIncompatible)
	}
	require.EqualError(t, coarse.Merge(must(hll.NewWindow(6, time.Minute, hll.WithPanes(9)))),
		"hll: incompatible: merge of 1m0s in 9 panes into 1h0m0s in 8")
	require.True(t, coarse.Equal(want))
}

// Times that no clock shows do no harm: no panic, and the newest time stands.
func TestWindowAtAnyTime(t *testing.T) {
	times := []time.Time{
		{},
		time.Unix(-1<<62, 0), time.Unix(-9223372037, 0), time.Unix(-1, 999), time.Unix(0, 0), time.Unix(9223372036, 0), time.Unix(1<<62, 0),
		time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for _, n := range []int{2, 3, 8, 64} {
		for _, d := range []time.Duration{63, time.Second, 1<<63 - 1} {
			for _, first := range times {
				w := must(hll.NewWindow(4, d, hll.WithPanes(n)))
				require.True(t, w.AddHashAt(first, 1))
				checkWindow(t, w)
				require.Equal(t, uint64(1), w.EstimateAt(first))
				for i, now := range times {
					w.AddHashAt(now, uint64(i))
					w.EstimateAt(now)
					checkWindow(t, w)
				}
				require.NotZero(t, w.EstimateAt(times[len(times)-1]))
			}
		}
	}
}

func TestWindowChecks(t *testing.T) {
	for want, f := range map[string]func() (*hll.Window, error){
		"hll: precision is 3, want 4 to 18":                  func() (*hll.Window, error) { return hll.NewWindow(3, time.Hour) },
		"hll: window is 0s, want at least 7ns for 8 panes":   func() (*hll.Window, error) { return hll.NewWindow(4, 0) },
		"hll: window is -1ns, want at least 7ns for 8 panes": func() (*hll.Window, error) { return hll.NewWindow(4, -1) },
		"hll: number of panes is 1, want 2 to 64":            func() (*hll.Window, error) { return hll.NewWindow(4, 1, hll.WithPanes(1)) },
		"hll: number of panes is 65, want 2 to 64":           func() (*hll.Window, error) { return hll.NewWindow(4, 99, hll.WithPanes(65)) },
		"hll: WithMartingale does not apply to NewWindow":    func() (*hll.Window, error) { return hll.NewWindow(4, 99, hll.WithMartingale()) },
		"hll: option 0 of NewWindow is nil":                  func() (*hll.Window, error) { return hll.NewWindow(4, 99, nil) },
	} {
		w, err := f()
		require.EqualError(t, err, want)
		require.Nil(t, w)
	}
	_, err := hll.New(4, hll.WithPanes(3))
	require.EqualError(t, err, "hll: WithPanes does not apply to New")

	var zero hll.Window
	require.Zero(t, zero.Estimate()+zero.EstimateAt(time.Time{}))
	require.True(t, zero.Snapshot().IsEmpty() && zero.Equal(zero.Clone()) && !zero.Equal(nil))
	require.Zero(t, zero.SizeBytes())
	zero.Reset()
	_, err = zero.MarshalBinary()
	require.EqualError(t, err, "hll: zero value has nothing to encode, make one with New")
	require.PanicsWithValue(t, "hll: Add to a zero Window, make one with NewWindow", func() { zero.AddString("a") })
	require.PanicsWithValue(t, "hll: Merge into a zero Window, make one with NewWindow", func() { _ = zero.Merge(must(hll.NewWindow(4, 9))) })
}

// A Window made dense allocates nothing, not even when panes turn, and none takes
// more memory than it says.
func TestWindowMemory(t *testing.T) {
	w, now := must(hll.NewWindow(10, time.Minute, hll.WithDense())), time.Unix(1, 0)
	size := w.SizeBytes()
	require.Equal(t, 9<<10, size)
	i := uint64(0)
	testkit.NoAllocs(t, "Window", func() {
		now = now.Add(time.Second)
		for range 100 {
			w.AddHashAt(now, i)
			i++
		}
		w.EstimateAt(now)
	})
	require.Equal(t, size, w.SizeBytes())

	w = must(hll.NewWindow(10, time.Minute))
	require.Zero(t, w.SizeBytes())
	for i := range uint64(100_000) {
		w.AddHashAt(time.Unix(0, int64(i)*1e6), i)
		if i%1000 == 0 {
			require.LessOrEqual(t, w.SizeBytes(), 9<<10)
		}
	}
	w.Reset()
	require.True(t, w.Equal(must(hll.NewWindow(10, time.Minute))))
}

// Images that no window has.
func TestWindowParameters(t *testing.T) {
	var window, sparse kind
	for _, k := range windowKinds() {
		switch k.name {
		case "window":
			window = k
		case "window-sparse":
			sparse = k
		}
	}
	word := func(at int, v uint64) func(b []byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at:], v); return b }
	}
	word32 := func(at int, v uint32) func(b []byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], v); return b }
	}
	for what, change := range map[string]func(b []byte) []byte{
		"version 1":          func(b []byte) []byte { b[3] = 1; return b },
		"unknown flag":       func(b []byte) []byte { b[4] = 1; return b },
		"precision 3":        word(8, 3),
		"precision 19":       word(8, 19),
		"another precision":  word(8, 5),
		"window of 1 ns":     word(16, 1),
		"window of 2^63 ns":  word(16, 1<<63),
		"1 pane":             word(24, 1),
		"2 panes":            word(24, 2),
		"4 panes":            word(24, 4),
		"64 panes":           word(24, 64),
		"65 panes":           word(24, 65),
		"pane after all":     word(32, 1<<62),
		"pane before all":    word(32, 1<<63),
		"register 62 of 61":  func(b []byte) []byte { b[60] |= 62; return b },
		"tokens for a dense": word32(56, 0),
	} {
		refuses(t, window, mend(change(must(window.value.MarshalBinary()))), what)
	}
	// Two empty panes and one of three tokens.
	for what, change := range map[string]func(b []byte) []byte{
		"more tokens than fit":  word32(72, 4),
		"a token fewer":         word32(72, 2),
		"more bytes than there": word32(76, 1<<32-1),
		"fewer bytes":           word32(76, 1),
		"bytes of no token":     word32(60, 1),
		"dense without bytes":   word32(72, 1<<32-1),
		"newest is empty": func(b []byte) []byte {
			return append(append(append(b[:56:56], b[72:len(b)-8]...), b[56:72]...), make([]byte, 8)...)
		},
	} {
		refuses(t, sparse, mend(change(must(sparse.value.MarshalBinary()))), what)
	}
	// Three tokens first, then none, and a last pane that ends behind its number of tokens.
	image := must(sparse.value.MarshalBinary())
	cut := bytes.Join([][]byte{image[:56], image[72:90], make([]byte, 8), image[72:76], make([]byte, 8)}, nil)
	binary.LittleEndian.PutUint64(cut[48:], uint64(len(cut)-56-8))
	refuses(t, sparse, mend(cut), "a pane that ends early")
	require.EqualError(t, new(hll.Window).UnmarshalBinary(cut), "hll: corrupt encoding: panes end early")
	empty := windowKinds()[0]
	refuses(t, empty, mend(word(32, 1)(must(empty.value.MarshalBinary()))), "a time of no keys")
}
