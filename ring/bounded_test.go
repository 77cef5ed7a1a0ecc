package ring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustBounded(t testing.TB, l ring.Locator, factor float64, opts ...ring.Option) *ring.Bounded {
	t.Helper()
	b, err := ring.NewBounded(l, factor, opts...)
	require.NoError(t, err)
	return b
}

// The twin: the first node in preference order below its capacity, which is
// ceil(factor (total+1) w / W).
func TestBoundedAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 16))
	nodes := ring.Nodes(names(15)...)
	sum := 0.0
	for i := range nodes {
		nodes[i].Weight = []float64{1, 2, 0.5}[i%3]
		sum += nodes[i].Weight
	}
	for _, factor := range []float64{1.0001, 1.25, 2} {
		r := mustNew(t, nodes, ring.WithVirtualNodes(20))
		b := mustBounded(t, r, factor)
		loads, total := map[string]int{}, 0
		var leases []ring.Lease
		for range 4000 {
			if len(leases) > 0 && rng.IntN(5) < 2 {
				i := rng.IntN(len(leases))
				l := leases[i]
				leases[i] = leases[len(leases)-1]
				leases = leases[:len(leases)-1]
				l.Release()
				loads[l.Node().ID]--
				total--
				continue
			}
			h := rng.Uint64() >> rng.IntN(3) << rng.IntN(60) // some keys are hot
			var want string
			for n := range r.Walk(h) {
				if float64(loads[n.ID]+1) <= math.Ceil(factor*float64(total+1)*n.Weight/sum) {
					want = n.ID
					break
				}
			}
			l, ok := b.Acquire(h)
			require.True(t, ok)
			require.Equal(t, want, l.Node().ID)
			loads[want]++
			total++
			leases = append(leases, l)
			require.EqualValues(t, total, b.Total())
			require.EqualValues(t, loads[want], b.Load(want))
		}
		for _, l := range leases {
			l.Release()
		}
		assert.Zero(t, b.Total())
		for _, n := range nodes {
			assert.Zero(t, b.Load(n.ID))
		}
	}
}

// One hot key spreads over the nodes, and none has more than its part.
func TestBoundedSpreadsAHotKey(t *testing.T) {
	for _, opts := range [][]ring.Option{nil, {ring.WithJumps()}} {
		b := mustBounded(t, mustNew(t, ring.Nodes(names(10)...)), 1.25, opts...)
		for i := range 1000 {
			l, ok := b.Acquire(42)
			require.True(t, ok)
			require.LessOrEqual(t, float64(b.Load(l.Node().ID)), math.Ceil(1.25*float64(i+1)/10))
		}
		busy := 0
		for _, id := range names(10) {
			if b.Load(id) > 0 {
				busy++
			}
		}
		assert.GreaterOrEqual(t, busy, 8)
	}
}

// Keys of one node only: walking fills its neighbors one after the other, jumps
// spread what it does not take over all.
func TestJumpsSpreadOverflow(t *testing.T) {
	r := mustNew(t, ring.Nodes(names(10)...), ring.WithVirtualNodes(1))
	busy := func(opts ...ring.Option) (nodes int) {
		b := mustBounded(t, r, 2, opts...)
		for _, arc := range slices.Collect(r.Ranges("node-3", 1)) {
			for i := range uint64(60) {
				_, ok := b.Acquire(arc.Start + 1 + i*0x10001)
				require.True(t, ok)
			}
		}
		for _, id := range names(10) {
			if b.Load(id) > 0 {
				nodes++
			}
		}
		return nodes
	}
	assert.Equal(t, 5, busy(), "12 each of 60")
	assert.GreaterOrEqual(t, busy(ring.WithJumps()), 8)
}

func TestReleaseCountsOnce(t *testing.T) {
	b := mustBounded(t, mustNew(t, ring.Nodes("a")), 2)
	l, ok := b.Acquire(1)
	require.True(t, ok)
	copied := l
	l.Release()
	l.Release()
	copied.Release()
	assert.Zero(t, b.Total())
	again, _ := b.Acquire(1) // may use what the first lease gave back
	l.Release()
	copied.Release()
	assert.EqualValues(t, 1, b.Total())
	assert.EqualValues(t, 1, b.Load("a"))
	again.Release()
	assert.Zero(t, b.Load("a"))
	ring.Lease{}.Release()
	assert.Zero(t, ring.Lease{}.Node())
}

func TestBoundedMembershipChanges(t *testing.T) {
	b := mustBounded(t, mustNew(t, ring.Nodes("a", "b")), 1.5)
	var leases []ring.Lease
	for i := range uint64(10) {
		l, ok := b.Acquire(i << 60)
		require.True(t, ok)
		leases = append(leases, l)
	}
	onA := b.Load("a")
	require.Positive(t, onA)
	b.SetLocator(mustRendezvous(t, ring.Nodes("b", "c")))
	assert.Equal(t, onA, b.Load("a"), "work on a node that left goes on")
	assert.EqualValues(t, 10, b.Total())
	for range 5 {
		l, ok := b.Acquire(3)
		require.True(t, ok)
		assert.NotEqual(t, "a", l.Node().ID)
		leases = append(leases, l)
	}
	b.SetLocator(mustMaglev(t, ring.Nodes("a", "c")))
	assert.Equal(t, onA, b.Load("a"), "loads carry over by ID")
	for _, l := range leases {
		l.Release()
	}
	assert.Zero(t, b.Total())
	for _, id := range []string{"a", "b", "c", "never"} {
		assert.Zero(t, b.Load(id), id)
	}
	b.SetLocator(nil)
	_, ok := b.Acquire(1)
	assert.False(t, ok, "there are no nodes")
	assert.Zero(t, b.Total())
}

func TestBoundedErrors(t *testing.T) {
	r := mustNew(t, ring.Nodes("a"))
	for _, factor := range []float64{1, 0, -1, math.NaN(), math.Inf(1)} {
		_, err := ring.NewBounded(r, factor)
		assert.EqualError(t, err, fmt.Sprintf("ring: load factor is %g, want a finite number > 1", factor))
	}
	_, err := ring.NewBounded(nil, 2)
	assert.EqualError(t, err, "ring: locator is nil")
	var zero ring.Bounded
	_, ok := zero.Acquire(1)
	assert.False(t, ok)
	assert.Zero(t, zero.Load("a"))
	assert.Zero(t, zero.Total())
	assert.PanicsWithValue(t, "ring: SetLocator of a zero Bounded: make it by NewBounded", func() { zero.SetLocator(r) })
}

// Capacities that no int64 holds, and weights whose sum no float64 does, have room.
func TestBoundedExtremes(t *testing.T) {
	heavy := []ring.Node{{ID: "a", Weight: math.MaxFloat64}, {ID: "b", Weight: math.MaxFloat64}, {ID: "c", Weight: math.SmallestNonzeroFloat64}}
	v, err := ring.NewRendezvous(heavy)
	require.NoError(t, err)
	for _, factor := range []float64{1 + 1e-9, 2, 1e19, math.MaxFloat64} {
		b := mustBounded(t, v, factor)
		for h := range uint64(10) {
			l, ok := b.Acquire(h)
			require.True(t, ok)
			if factor > 2 {
				require.Equal(t, v.Node(v.Locate(h)), l.Node(), "factor %g", factor)
			}
		}
	}
}

// openLocator is a Locator of a user's that leaves weights open.
type openLocator struct{ ring.Locator }

func (l openLocator) Node(i int) ring.Node { return ring.Node{ID: l.Locator.Node(i).ID} }

func TestBoundedOverAForeignLocator(t *testing.T) {
	b := mustBounded(t, openLocator{mustNew(t, ring.Nodes("a", "b"))}, 1.5)
	for range 100 {
		_, ok := b.Acquire(1)
		require.True(t, ok)
	}
	assert.LessOrEqual(t, max(b.Load("a"), b.Load("b")), int64(75))
}

// Many goroutines acquire and release while the nodes change; in the end nothing
// is left over, and no node ever had more than the largest total allowed.
func TestBoundedConcurrently(t *testing.T) {
	const factor, workers, held = 1.25, 8, 16
	rings := []*ring.Ring{mustNew(t, ring.Nodes(names(6)...)), mustNew(t, ring.Nodes(names(5)...)), mustNew(t, ring.Nodes(names(6)[1:]...))}
	b := mustBounded(t, rings[0], factor)
	var wg sync.WaitGroup
	var over atomic.Int64
	for w := range uint64(workers) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(w, 17))
			var leases []ring.Lease
			for range 3000 {
				if len(leases) == held {
					i := rng.IntN(held)
					leases[i].Release()
					leases[i].Release()
					leases[i] = leases[held-1]
					leases = leases[:held-1]
				}
				l, ok := b.Acquire(rng.Uint64N(3))
				if !ok {
					over.Add(1 << 32)
					continue
				}
				if float64(b.Load(l.Node().ID)) > math.Ceil(factor*workers*held/5) {
					over.Add(1)
				}
				leases = append(leases, l)
			}
			for _, l := range leases {
				l.Release()
			}
		})
	}
	wg.Go(func() {
		for i := range 300 {
			b.SetLocator(rings[i%3])
		}
	})
	wg.Wait()
	assert.Zero(t, over.Load())
	assert.Zero(t, b.Total())
	for _, id := range names(6) {
		assert.Zero(t, b.Load(id))
	}
}

func TestAcquireDoesNotAllocate(t *testing.T) {
	b := mustBounded(t, mustNew(t, ring.Nodes(names(10)...)), 1.25)
	for range 50 {
		_, _ = b.Acquire(1)
	}
	testkit.NoAllocs(t, "Acquire and Release", func() {
		l, _ := b.Acquire(1)
		l.Release()
	})
}
