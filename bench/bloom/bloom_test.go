package bloom

import (
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
	parquet "github.com/parquet-go/parquet-go/bloom"
)

func BenchmarkBloom(b *testing.B) { bar.Benchmark(b, Suite()) }

// NewParquet has the bytes and the answers of parquet-go, single and in bulk.
func TestParquetGoHasTheSameBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, z := range []int{1, 2, 3, 7, 64, 1000, 4097} {
		ours := check(bloom.FromParquet(make([]byte, 32*z)))
		theirs := parquet.MakeSplitBlockFilter(make([]byte, 32*z))
		hs, out := make([]uint64, 20*z), make([]bool, 20*z)
		for i := range hs {
			hs[i] = r.Uint64()
		}
		ours.AddHashes(hs[:5*z])
		theirs.InsertBulk(hs[:5*z])
		for _, h := range hs[5*z : 10*z] {
			ours.AddHash(h)
			theirs.Insert(h)
		}
		if string(check(ours.AppendParquet(nil))) != string(theirs.Bytes()) {
			t.Fatalf("%d blocks: other bytes", z)
		}
		ours.ContainsHashes(out, hs)
		for i, h := range hs {
			if want := theirs.Check(h); ours.ContainsHash(h) != want || out[i] != want {
				t.Fatalf("%d blocks: key %d is %v", z, i, want)
			}
		}
	}
}
