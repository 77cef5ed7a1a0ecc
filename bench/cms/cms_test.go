package cms

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkCMS(b *testing.B) { bar.Benchmark(b, Suite()) }
