package quorum

import (
	"context"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/quorum"
	"github.com/grafana/dskit/ring"
)

const (
	batchKeys  = 10_000
	batchNodes = 12
)

func batchBars() []bar.Bar {
	return []bar.Bar{{
		Name: "WriteBatch/keys=10000",
		Ours: side("distkit", ourBatch()), Peer: side("dskit", theirBatch()), Limit: 0.5, Allocs: bar.AnyAllocs,
	}}
}

func batchFigures() []bar.Figure {
	return []bar.Figure{{
		Name: "WriteBatch of DoBatch's memory/keys=10000", Unit: "%", Limit: 50,
		Measure: func() float64 { return 100 * allocated(ourBatch()) / allocated(theirBatch()) },
	}}
}

// ourBatch writes every key to three of twelve nodes.
func ourBatch() func() uint64 {
	c := check(quorum.New(3, 2, 2))
	nodes, ctx := names(batchNodes), context.Background()
	prefs := func(i int, buf []string) []string {
		return append(buf, nodes[i%batchNodes], nodes[(i+1)%batchNodes], nodes[(i+2)%batchNodes])
	}
	return func() uint64 {
		errs := quorum.WriteBatch(ctx, c, batchKeys, prefs, func(context.Context, string, []int) error { return nil })
		for _, err := range errs {
			if err != nil {
				panic(err)
			}
		}
		return uint64(len(errs))
	}
}

// circle is a ring that finds the nodes of a key as fast as ourBatch does.
type circle []ring.InstanceDesc

func (c circle) Get(key uint32, _ ring.Operation, buf []ring.InstanceDesc, _, _ []string) (ring.ReplicationSet, error) {
	for i := range uint32(3) {
		buf = append(buf, c[(key+i)%batchNodes])
	}
	return ring.ReplicationSet{Instances: buf, MaxErrors: 1}, nil
}
func (c circle) ReplicationFactor() int { return 3 }
func (c circle) InstancesCount() int    { return len(c) }

func theirBatch() func() uint64 {
	nodes, ctx := circle(instances(names(batchNodes))), context.Background()
	keys := make([]uint32, batchKeys)
	for i := range keys {
		keys[i] = uint32(i)
	}
	return func() uint64 {
		err := ring.DoBatchWithOptions(ctx, ring.Write, nodes, keys, func(ring.InstanceDesc, []int) error { return nil }, ring.DoBatchOptions{})
		if err != nil {
			panic(err)
		}
		return uint64(len(keys))
	}
}

// allocated returns the bytes that op takes, the mean of a few runs.
func allocated(op func() uint64) float64 {
	const runs = 20
	op()
	return float64(testkit.AllocatedBytes(func() {
		for range runs {
			op()
		}
	})) / runs
}
