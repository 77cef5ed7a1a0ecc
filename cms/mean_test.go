package cms_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// CountMean takes the noise of the other keys off; its mean error is nearer to
// nothing than that of Count, which is never below the truth.
func TestCountMean(t *testing.T) {
	s, err := cms.NewSize(64, 5)
	require.NoError(t, err)
	var biased, corrected float64
	for i := range 2000 {
		s.Add(fmt.Append(nil, i))
	}
	for i := range 2000 {
		key := fmt.Append(nil, i)
		assert.Equal(t, s.CountMean(key), s.CountMeanString(string(key)))
		biased += float64(s.Count(key)) - 1
		corrected += s.CountMean(key) - 1
	}
	assert.Less(t, max(corrected, -corrected), biased/4)
	assert.InDelta(t, 0.0067, s.Delta(), 1e-4, "e^-5")
}
