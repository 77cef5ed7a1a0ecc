package main

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/ring"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sixth node joins while clients read what they have written: no read misses
// a write, and hardly more than a sixth of the copies changes its place.
func TestANodeJoins(t *testing.T) {
	t.Parallel()
	c, client := testCluster(t, usual)
	for i := range 300 {
		_, err := client.Put(t.Context(), fmt.Sprint("key", i), vclock.Clock{}, []byte("first"))
		require.NoError(t, err)
	}
	settled(t, c)
	var stop atomic.Bool
	var writes atomic.Int64
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; !stop.Load(); i += 4 {
				key := fmt.Sprint("key", i%300)
				old, err := client.Get(t.Context(), key, vclock.Clock{})
				if !assert.NoError(t, err) {
					return
				}
				mark := fmt.Sprintf("%09d", i)
				put, err := client.Put(t.Context(), key, old.Context, []byte(mark))
				if !assert.NoError(t, err) {
					return
				}
				got, err := client.Get(t.Context(), key, vclock.Clock{}) // brings no context: the quorum alone must see it
				if !assert.NoError(t, err) || !assert.True(t, got.Context.Descends(put.Context), "a read missed a write") {
					return
				}
				writes.Add(1)
			}
		})
	}
	report, err := c.Add(t.Context(), ring.Node{ID: "node-6", Weight: 1, Zone: "zone-c"})
	time.Sleep(100 * time.Millisecond) // of traffic on the new ring
	stop.Store(true)
	wg.Wait()
	require.NoError(t, err)
	t.Logf("%d writes meanwhile; %+v", writes.Load(), report)
	assert.NotZero(t, writes.Load())
	settled(t, c)
	assert.Equal(t, 6, c.Ring().Len())
	assert.Len(t, c.Running(), 6)
	kept := 0 // a write of the last moment may come after a node has forgotten the range
	for _, n := range c.Running() {
		for at := range n.Tree().Entries(merkle.Range{}) {
			if !slices.Contains(c.Ring().AppendOwnersHash(nil, at, n.N), n.Name()) {
				kept++
			}
		}
	}
	assert.Less(t, kept, int(report.Moved)/4, "what moved away is forgotten")
	assert.EqualValues(t, 900, report.Copies)
	assert.NotZero(t, report.Moved)
	assert.Less(t, report.Moved, report.TreesAnew)

	_, err = c.Add(t.Context(), ring.Node{ID: "node-6", Weight: 1, Zone: "zone-c"})
	assert.Error(t, err, "it is there")
	require.NoError(t, c.Kill("node-6"))
	require.NoError(t, c.Wipe("node-6"))
	require.NoError(t, c.Start("node-6"))
	settled(t, c)
}

// A join that cannot be finished leaves the cluster as it was.
func TestAJoinFails(t *testing.T) {
	t.Parallel()
	c, client := testCluster(t, usual)
	require.NoError(t, c.Cut([]string{"node-5"}))
	fingerprint := c.Ring().Fingerprint()
	_, err := c.Add(t.Context(), ring.Node{ID: "node-6", Weight: 1, Zone: "zone-c"})
	require.Error(t, err)
	c.Heal()
	require.NoError(t, within(t.Context(), 10*time.Second, c.AwaitAgreement))
	assert.Equal(t, fingerprint, c.Ring().Fingerprint())
	assert.Len(t, c.Members(), 5)
	_, err = client.Put(t.Context(), "key", vclock.Clock{}, []byte("value"))
	require.NoError(t, err)
}
