package main

import (
	"path/filepath"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
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
