package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both sides of a cut write the same keys. Where owners alone count, one side at
// most can, and no conflict comes of it; with W=1 both can, and what they wrote
// stands side by side when the cut is over.
func TestPartition(t *testing.T) {
	t.Parallel()
	c, client := testCluster(t, usual)
	left, right := []string{"node-1", "node-2", "node-3"}, []string{"node-4", "node-5"}
	assert.ErrorContains(t, c.Cut([]string{"node-9"}), `"node-9"`)
	bases := map[string]vclock.Clock{}
	for i := range 60 {
		key := fmt.Sprint("key", i)
		a, err := client.Put(t.Context(), key, vclock.Clock{}, []byte("base"))
		require.NoError(t, err)
		bases[key] = a.Context
	}
	settled(t, c)
	require.NoError(t, c.Cut(left, right))
	require.NoError(t, within(t.Context(), 10*time.Second, c.AwaitAgreement))

	// try writes every key on both sides and returns how many each side took.
	try := func(query, mark string) (took [2]int, both int) {
		for key, seen := range bases {
			done := 0
			for i, side := range [][]string{left, right} {
				client := *client
				client.Query, client.Once, client.Sees = query, true, func(node string) bool { return slices.Contains(side, node) }
				a, err := client.Put(t.Context(), key, seen, fmt.Appendf(nil, "%s by %d", mark, i))
				if err == nil {
					took[i]++
					done++
					bases[key] = a.Context
					continue
				}
				answer := node.StatusError{}
				require.True(t, errors.As(err, &answer), "%v", err)
				require.Equal(t, http.StatusServiceUnavailable, answer.Code)
				require.Zero(t, a.Maybe, "%v", err)
			}
			if done == 2 {
				both++
			}
		}
		return took, both
	}
	took, both := try("w=2&strict=1", "strict")
	assert.Zero(t, both)
	assert.Equal(t, len(bases), took[0]+took[1], "every key has two of its owners on one of the sides")
	state, err := c.State()
	require.NoError(t, err)
	assert.Zero(t, state.Siblings)

	took, both = try("w=1", "loose")
	assert.NotZero(t, both)
	assert.Equal(t, len(bases), took[0], "node-3 owns everything, and is on the left")
	t.Logf("W=1: both sides took %d of %d keys", both, len(bases))

	c.Heal()
	require.NoError(t, within(t.Context(), 10*time.Second, c.AwaitAgreement))
	settled(t, c)
	state, err = c.State()
	require.NoError(t, err)
	assert.Equal(t, both, state.Siblings)
	for key := range bases {
		a, err := client.Get(t.Context(), key, vclock.Clock{})
		require.NoError(t, err)
		_, err = client.Put(t.Context(), key, a.Context, union(a.Values, "merged"))
		require.NoError(t, err)
	}
	settled(t, c)
	state, err = c.State()
	require.NoError(t, err)
	assert.Zero(t, state.Siblings, "a client has merged them")
}
