package merkle

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkMerkle(b *testing.B) { bar.Benchmark(b, Suite()) }
