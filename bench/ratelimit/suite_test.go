package ratelimit

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkRateLimit(b *testing.B) { bar.Benchmark(b, Suite()) }

// Against x/time/rate, a shorter run than the figure's.
func TestAgainstXTime(t *testing.T) {
	if wrong := mismatches(50_000); wrong > 0 {
		t.Errorf("%d decisions differ", wrong)
	}
}
