// Package quorum holds package quorum and its subpackages to their bars: reads
// and batches against grafana/dskit, whose rings Mimir, Loki and Tempo are built
// on, against failsafe-go, and against what one writes by hand; votes against
// etcd's raft. Replicas answer at once, unless a bar is about time.
//
// It is also the laboratory of the register that porcupine judges: a cluster in
// fake time whose messages are late, lost or half done.
package quorum

import (
	"context"
	"fmt"
	"slices"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/quorum"
)

// Suite returns the bars of quorum, expr and pbs.
func Suite() bar.Suite {
	return bar.Suite{
		Package: "quorum",
		Bars:    slices.Concat(readBars(), batchBars(), expressionBars()),
		Figures: slices.Concat(batchFigures(), tailFigures(), strategyFigures(), stalenessFigures(), registerFigures()),
	}
}

// side repeats one operation.
func side(impl string, op func() uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		return func(n int) (sum uint64) {
			for range n {
				sum += op()
			}
			return sum
		}
	}}
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// names lists so many nodes, spread over zones.
func names(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint("node-", i))
	}
	return out
}

func instant(context.Context, quorum.Target) (int, error) { return 1, nil }
