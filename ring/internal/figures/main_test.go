package main

import (
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// The figures in the documentation are those of this code.
func TestFigures(t *testing.T) {
	for name, draw := range figures {
		svg, err := draw()
		require.NoError(t, err)
		testkit.Golden(t, "../../../docs/ring/"+name, []byte(svg))
	}
}
