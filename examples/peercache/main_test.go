package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The program's output is what it says on any machine.
func TestStory(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(nil, nil, &out))
	assert.Equal(t, `8000 requests for 4000 documents, by Zipf's law, to 4 nodes with room for 250 each.

                           from caches   loads of the origin   busiest node
co-located                      59.4 %                  3251    1.00 x mean
sharded by a ring               77.9 %                  1771    1.23 x mean
hot keys from 3 owners          77.8 %                  1777    1.15 x mean

certainly more than 2 % of the requests each: [doc-0 doc-1 doc-2 doc-3 doc-4]

1 of 4 nodes killed before the last 4000: 0 of them fail, 856 go on to other owners or the origin
  loads for the first 500 of them  120, else  86
  loads for all of them            908, else 718

2 of 4 nodes killed before the last 4000: 0 of them fail, 1806 go on to other owners or the origin
  loads for the first 500 of them  167, else  86
  loads for all of them           1155, else 718

4 of 4 nodes killed before the last 4000: 0 of them fail, 4000 go on to other owners or the origin
  loads for the first 500 of them  500, else  86
  loads for all of them           4000, else 718
`, out.String())
}

func TestArguments(t *testing.T) {
	assert.EqualError(t, run([]string{"-x"}, nil, nil), `arguments are ["-x"], want none`)
}

func get(t *testing.T, c *cluster, key string) {
	t.Helper()
	text, err := c.get(context.Background(), key)
	require.NoError(t, err)
	assert.Equal(t, content(key), text)
}

// Whoever owns a key loads it; who is asked for a hot key copies it from there.
func TestOwnersLoadOnce(t *testing.T) {
	c, err := start(spread)
	require.NoError(t, err)
	defer c.kill(len(c.nodes))
	for range 600 { // hot from the 500th on
		get(t, c, "a/b c")
	}
	assert.Equal(t, 1, c.origin.count())
	served := 0
	for _, n := range c.owners("a/b c", copies) {
		assert.GreaterOrEqual(t, n.served, 33)
		served += n.served
	}
	assert.Equal(t, 600, served)

	// What is not hot is with its owner only.
	get(t, c, "cold")
	get(t, c, "cold")
	for i, n := range c.owners("cold", copies) {
		assert.Equal(t, i == 0, n.cache.Contains("cold"))
	}
	assert.Equal(t, 2, c.origin.count())
}

// When the owner is dead, the next takes over, and in the end the origin.
func TestOwnersDie(t *testing.T) {
	c, err := start(sharded)
	require.NoError(t, err)
	defer c.kill(len(c.nodes))
	get(t, c, "x")
	owners := c.owners("x", copies)
	for i, n := range owners[:2] {
		n.kill()
		get(t, c, "x")
		get(t, c, "x")
		assert.Equal(t, 2+i, c.origin.count(), "each new owner loads once")
		assert.True(t, owners[i+1].cache.Contains("x"))
	}
	owners[2].kill()
	get(t, c, "x")
	get(t, c, "x")
	assert.Equal(t, 5, c.origin.count())
	assert.Equal(t, 6, c.detours)
}

func TestColocatedLoadsEverywhere(t *testing.T) {
	c, err := start(colocated)
	require.NoError(t, err)
	defer c.kill(len(c.nodes))
	for range 8 {
		get(t, c, "x")
	}
	assert.Equal(t, 4, c.origin.count())
	assert.Equal(t, 1.0, c.busiest())
}
