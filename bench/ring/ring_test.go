package ring

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkRing(b *testing.B) { bar.Benchmark(b, Suite()) }
