package ring_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Writers that race lose nothing, and readers always see one consistent ring.
func TestLiveKeepsEveryChange(t *testing.T) {
	live := ring.NewLive(mustNew(t, ring.Nodes("first"), ring.WithVirtualNodes(10)))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("%d-%d", w, i)
				assert.NoError(t, live.Add(ring.Node{ID: id}))
				assert.NoError(t, live.Update(ring.Node{ID: id, Weight: 2}))
				if i%2 == 0 {
					assert.NoError(t, live.Remove(id))
				}
			}
		})
		wg.Go(func() {
			for i := range 2000 {
				r := live.Load()
				id, ok := r.OwnerString(fmt.Sprint(i))
				assert.True(t, ok)
				_, ok = r.Lookup(id)
				assert.True(t, ok)
			}
		})
	}
	wg.Wait()
	w := newTwin(10, ring.Node{ID: "first"})
	for i := range 80 {
		if i%2 == 1 {
			w.put(ring.Node{ID: fmt.Sprintf("%d-%d", i/20, i%20), Weight: 2})
		}
	}
	checkRing(t, w, live.Load())
}

func TestLiveErrorsChangeNothing(t *testing.T) {
	r := mustNew(t, ring.Nodes("a"))
	live := ring.NewLive(r)
	assert.ErrorIs(t, live.Add(ring.Nodes("a")...), ring.ErrDuplicateNode)
	assert.ErrorIs(t, live.Remove("b"), ring.ErrUnknownNode)
	assert.ErrorIs(t, live.Update(ring.Node{ID: "b"}), ring.ErrUnknownNode)
	assert.Same(t, r, live.Load())

	next, err := r.Add(ring.Nodes("b")...)
	require.NoError(t, err)
	assert.True(t, live.CompareAndSwap(r, next))
	assert.False(t, live.CompareAndSwap(r, next), "somebody was faster")
	assert.Same(t, next, live.Load())
}

func TestZeroLive(t *testing.T) {
	var live ring.Live
	assert.Zero(t, live.Load().Len())
	assert.PanicsWithValue(t, "ring: Add of a zero Ring: make it by New", func() { _ = live.Add(ring.Nodes("a")...) })
	assert.True(t, live.CompareAndSwap(live.Load(), mustNew(t, ring.Nodes("a"))))
	assert.Equal(t, 1, live.Load().Len())
}
