package redislimit

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkRedisLimit(b *testing.B) { bar.Benchmark(b, Suite()) }

// All contestants count: the first of a key passes, the second does not.
func TestContestantsRefuse(t *testing.T) {
	if installed() == "" {
		t.Skip("redis-server is not installed")
	}
	for _, l := range []limiter{ours(scarce), redisRate(scarce), throttled(scarce), ulule(scarce)} {
		decide := l.make("test-" + l.impl + ":")
		if !decide("a") || decide("a") || !decide("b") {
			t.Errorf("%s does not hold 1 a day", l.impl)
		}
	}
}
