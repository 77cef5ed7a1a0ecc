package main

import (
	"path/filepath"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/require"
)

// The pictures in the documentation are what the packages draw now.
func TestFigures(t *testing.T) {
	for path, draw := range figures {
		svg, err := draw()
		require.NoError(t, err)
		testkit.Golden(t, filepath.Join("../../..", path), []byte(svg))
	}
}

// Who knows the future keeps 1 and 2 and lets 3 pass; and nothing hits more often.
func TestClairvoyant(t *testing.T) {
	require.InDelta(t, 2./5, clairvoyant([]uint64{1, 2, 3, 1, 2}, 2), 1e-12)
	require.InDelta(t, 0, clairvoyant([]uint64{1, 2, 3}, 2), 1e-12)
	load := mixedLoad()[:50_000]
	cache, err := lru.New[uint64, struct{}](500, lru.WithStats())
	require.NoError(t, err)
	for _, key := range load {
		cache.GetOrSet(key, struct{}{})
	}
	require.Greater(t, clairvoyant(load, 500), cache.Stats().HitRatio())
}
