package lru

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkLRU(b *testing.B) { bar.Benchmark(b, Suite()) }
