package ring_test

import (
	"testing"

	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
)

func TestToleranceHoldsEveryShare(t *testing.T) {
	for _, eps := range []float64{0.1, 0.05, 0.02, 0.01} {
		r := mustNew(t, ring.Nodes(names(100)...), ring.WithTolerance(eps))
		low, high := 2.0, 0.0
		for _, s := range sharesOf(r) {
			low, high = min(low, s*100), max(high, s*100)
		}
		assert.GreaterOrEqual(t, low, 1-eps)
		assert.LessOrEqual(t, high, 1+eps)
		t.Logf("eps %g: %.4f to %.4f", eps, low, high)
	}
}
