package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// collecting are settings with a grace that is longer than any message is under way here.
func collecting(grace time.Duration) Settings {
	s := usual
	s.Grace = grace
	return s
}

// copies returns how many copies of key there are, tombstones too.
func (g *group) copies(key string) (count int) {
	for _, n := range g.nodes {
		_, ok, err := n.engine.Get(key)
		require.NoError(g.t, err)
		if ok {
			count++
		}
	}
	return count
}

func TestDeletedKeysAreForgotten(t *testing.T) {
	g, client := startGroup(t, collecting(300*time.Millisecond))
	seen := map[string]vclock.Clock{}
	highest := map[string]uint64{} // number of a write, by actor
	for i := range 20 {
		key := fmt.Sprint("key-", i)
		for range 3 {
			a, err := client.Put(t.Context(), key, seen[key], []byte("value"))
			require.NoError(t, err)
			seen[key] = seen[key].Merge(a.Context)
			highest[a.Dot.ID] = max(highest[a.Dot.ID], a.Dot.N)
		}
		_, deleted, err := client.Delete(t.Context(), key, seen[key])
		require.NoError(t, err)
		require.True(t, deleted)
	}
	assert.NotZero(t, g.copies("key-0"), "a tombstone stays for a while")
	require.Eventually(t, func() bool {
		for key := range seen {
			if g.copies(key) > 0 {
				return false
			}
		}
		return true
	}, 20*time.Second, 50*time.Millisecond, "then it goes")
	for _, n := range g.nodes {
		assert.Zero(t, n.Tree().Len())
		require.NoError(t, n.Stop(false))
		g.restart(n.name) // the floor outlives a clean end
	}
	require.Eventually(t, g.agree, 10*time.Second, 20*time.Millisecond)
	for key, clock := range seen {
		a, err := client.Get(t.Context(), key, clock)
		require.NoError(t, err, "whoever has seen what was deleted is told so")
		assert.Empty(t, a.Values)
		assert.True(t, a.Context.Descends(clock))
		a, err = client.Put(t.Context(), key, vclock.Clock{}, []byte("again"))
		require.NoError(t, err)
		assert.False(t, clock.Contains(a.Dot), "no number comes twice")
		if last, known := highest[a.Dot.ID]; known {
			assert.Greater(t, a.Dot.N, last)
		}
		b, err := client.Get(t.Context(), key, clock.Merge(a.Context))
		require.NoError(t, err)
		assert.Equal(t, [][]byte{[]byte("again")}, b.Values)
	}
}

func TestTombstonesWaitForEverybody(t *testing.T) {
	g, client := startGroup(t, collecting(200*time.Millisecond))
	a, err := client.Put(t.Context(), "key", vclock.Clock{}, []byte("value"))
	require.NoError(t, err)
	g.settled()
	g.kill(victim)
	require.Eventually(t, g.agree, 10*time.Second, 20*time.Millisecond)
	_, deleted, err := client.Delete(t.Context(), "key", a.Context)
	require.NoError(t, err)
	require.True(t, deleted)
	for range 20 {
		time.Sleep(50 * time.Millisecond)
		require.NotZero(t, g.copies("key"), "the node that is down may have the value")
	}
	g.restart(victim)
	require.Eventually(t, func() bool { return g.copies("key") == 0 }, 20*time.Second, 50*time.Millisecond)
	found, err := client.Get(t.Context(), "key", a.Context)
	require.NoError(t, err)
	assert.Empty(t, found.Values)
}

func TestStonesThatDiffer(t *testing.T) {
	g, client := startGroup(t, usual)
	_, err := client.Put(t.Context(), "key", vclock.Clock{}, []byte("value"))
	require.NoError(t, err)
	g.settled()
	owner := g.nodes[g.nodes[victim].prefs("key")[0]]
	held, err := owner.load("key")
	require.NoError(t, err)
	value, err := encodeVersions(held)
	require.NoError(t, err)
	tombstone, err := encodeVersions(held.Discard(held.Context()))
	require.NoError(t, err)
	stone := func(value []byte) []byte { return appendBytes(appendBytes(nil, "key"), value) }

	agreed, err := owner.agreed(t.Context(), stone(value))
	require.NoError(t, err)
	assert.Equal(t, stone(value), agreed)
	agreed, err = owner.agreed(t.Context(), stone(tombstone))
	require.NoError(t, err)
	assert.Empty(t, agreed, "the value is there")
	require.NoError(t, owner.forget(stone(tombstone)))
	assert.Equal(t, 3, g.copies("key"))

	other := g.nodes[g.nodes[victim].prefs("key")[4]]
	require.NoError(t, other.hints.put(owner.name, "key", held))
	if agreed, err = other.agree(stone(value)); assert.NoError(t, err) && other.Hints() > 0 {
		assert.Empty(t, agreed, "a hint is under way")
	}
	other.setMoving(&ringChange{other.members.Ring(), other.members.Ring()})
	agreed, err = other.agree(stone(value))
	require.NoError(t, err)
	assert.Empty(t, agreed, "the ring changes")

	_, err = owner.agree([]byte{200})
	assert.ErrorIs(t, err, errMessage)
	assert.ErrorIs(t, owner.forget([]byte{1, 'k'}), errMessage)
	require.NoError(t, owner.forget(stone(value)))
	assert.Equal(t, 2, g.copies("key"))
}

// A crash may take the last numbers of a node's writes, which others have.
func TestActorsLastFromACleanEndToTheNextStart(t *testing.T) {
	g, _ := startGroup(t, usual)
	actor := g.nodes[victim].actor
	require.NoError(t, g.nodes[victim].Stop(false))
	assert.Equal(t, actor, g.restart(victim).actor)
	g.kill(victim)
	assert.NotEqual(t, actor, g.restart(victim).actor)
}
