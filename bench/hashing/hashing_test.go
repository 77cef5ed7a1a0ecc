package hashing

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkHashing(b *testing.B) { bar.Benchmark(b, Suite()) }
