package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every node tells the same of all requests, and keeps what a node that died had
// counted.
func TestUsageIsTheSameEverywhere(t *testing.T) {
	g, client := startGroup(t, usual)
	for i := range 200 {
		client.Name = fmt.Sprint("client", i%40)
		_, err := client.Get(t.Context(), fmt.Sprint("key", min(i%20, 5)), vclock.Clock{})
		require.NoError(t, err)
	}
	told := func(node string) (hot []cms.Item, uniques map[string]uint64) {
		status, body := do(t, http.MethodGet, "http://"+g.addr(node)+"/v1/hot?n=3", "", nil)
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, json.Unmarshal([]byte(body), &hot))
		status, body = do(t, http.MethodGet, "http://"+g.addr(node)+"/v1/uniques", "", nil)
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, json.Unmarshal([]byte(body), &uniques))
		return hot, uniques
	}
	same := func() bool {
		for _, n := range g.nodes {
			hot, uniques := told(n.name)
			if len(hot) != 3 || hot[0] != (cms.Item{Key: "key5", Count: 150}) || hot[1].Count != 10 || uniques["estimate"] != 40 {
				return false
			}
		}
		return true
	}
	require.Eventually(t, same, 10*time.Second, 20*time.Millisecond)
	g.kill(victim)
	assert.True(t, same())
	g.restart(victim)
	require.Eventually(t, same, 10*time.Second, 20*time.Millisecond)
}

func TestUsageRefusesWhatCannotBeMerged(t *testing.T) {
	u, err := newUsage("a")
	require.NoError(t, err)
	other, err := newUsage("b")
	require.NoError(t, err)
	other.add("key", "client")
	good, err := other.images()
	require.NoError(t, err)
	for n := range good {
		assert.Error(t, u.learn(good[:len(good)-1-n/2]))
		bad := slices.Clone(good)
		bad[n] ^= 1
		if err := u.learn(bad); err == nil { // its name, which nothing seals
			assert.LessOrEqual(t, n, 1+len(other.id))
		}
	}
	small, err := cms.NewTopK(hotKeys/2, cms.WithCounters(hotCounters))
	require.NoError(t, err)
	image, err := small.MarshalBinary()
	require.NoError(t, err)
	image, err = other.clients.AppendBinary(appendBytes(nil, image))
	require.NoError(t, err)
	assert.ErrorContains(t, u.learn(appendBytes(appendBytes(nil, "c"), image)), `counts of "c"`)
	require.NoError(t, u.learn(good))
	hot, _, err := u.all()
	require.NoError(t, err)
	assert.NotZero(t, hot.CountString("key"))
}
