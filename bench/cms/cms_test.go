package cms

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkCMS(b *testing.B) { bar.Benchmark(b, Suite()) }

// Where both name a key, its certain bounds and those of datasketches overlap.
func TestBoundsAgreeWithDatasketches(t *testing.T) {
	ours, theirs := leadersOf(addAll), items()
	for _, key := range users().keys {
		if err := theirs.Update(string(key)); err != nil {
			t.Fatal(err)
		}
	}
	for it := range ours.Items() {
		low, err := theirs.GetLowerBound(it.Key)
		if err != nil {
			t.Fatal(err)
		}
		high, err := theirs.GetUpperBound(it.Key)
		if err != nil {
			t.Fatal(err)
		}
		if uint64(low) > it.Count || uint64(high) < it.Count-it.Error {
			t.Errorf("%s: [%d, %d] here, [%d, %d] there", it.Key, it.Count-it.Error, it.Count, low, high)
		}
	}
}
