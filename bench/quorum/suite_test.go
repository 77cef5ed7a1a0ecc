package quorum

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
	"github.com/stretchr/testify/require"
)

func BenchmarkQuorum(b *testing.B) { bar.Benchmark(b, Suite()) }

// TestSides runs both sides of every bar; each panics if it does not get what it
// is measured for.
func TestSides(t *testing.T) {
	for _, b := range Suite().Bars {
		for _, side := range []bar.Side{b.Ours, b.Peer} {
			if side.New != nil {
				require.NotPanics(t, func() { side.New()(3) }, "%s, %s", b.Name, side.Impl)
			}
		}
	}
}

// TestTail: fake time shows the same tail in every run, and what hedges save.
func TestTail(t *testing.T) {
	ours, theirs := measureTail(ourTail), measureTail(theirTail)
	t.Logf("distkit p99 %.2f ms, %.3f calls; dskit p99 %.2f ms, %.3f calls", ours.p99, ours.calls, theirs.p99, theirs.calls)
	require.Less(t, ours.p99, .8*theirs.p99)
	require.Less(t, ours.calls, 2.12)
	require.Greater(t, theirs.calls, 2.0)
	require.Less(t, outage(), 1.06)
	require.Greater(t, outage(), 1.0)
}
