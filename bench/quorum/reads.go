package quorum

import (
	"context"
	"errors"
	"fmt"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/quorum"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/grafana/dskit/ring"
)

func readBars() []bar.Bar {
	majority := func(n int) *quorum.Coordinator { return check(quorum.New(n, n/2+1, n/2+1)) }
	zones := check(quorum.New(6, 4, 4,
		quorum.WithZones(func(node string) string { return node[len(node)-1:] }),
		quorum.WithReadLevel(quorum.SomeZones(2, quorum.All()))))
	six := []string{"a-0", "b-0", "a-1", "b-1", "a-2", "b-2"}
	return []bar.Bar{
		{
			Name: "Read a majority/n=3",
			Ours: read(majority(3), names(3), instant, 2),
			Peer: untilQuorum(ring.ReplicationSet{Instances: instances(names(3)), MaxErrors: 1}, "", 2), Limit: 0.35, Allocs: 8,
		},
		{
			Name: "Read a majority/n=7",
			Ours: read(majority(7), names(7), instant, 4),
			Peer: untilQuorum(ring.ReplicationSet{Instances: instances(names(7)), MaxErrors: 3}, "", 4), Limit: 0.35, Allocs: 14,
		},
		{
			Name: "Read a majority by hand/n=3",
			Ours: read(majority(3), names(3), instant, 2),
			Peer: byHand(3), Limit: 1.6, Allocs: 8,
		},
		{
			Name: "Read one/n=3",
			Ours: read(check(quorum.New(3, 1, 3)), names(3), instant, 1),
			Peer: hedged(), Limit: 0.05, Allocs: 1,
		},
		{
			Name: "Read one alone/n=3",
			Ours: read(check(quorum.New(3, 1, 3)), names(3), instant, 1),
			Plus: 120, Allocs: 1,
		},
		{
			Name: "Read a majority, one of 3 fails",
			Ours: read(majority(3), names(3), failing("node-0"), 2),
			Peer: untilQuorum(ring.ReplicationSet{Instances: instances(names(3)), MaxErrors: 1}, "node-0", 2), Limit: 0.35, Allocs: bar.AnyAllocs,
		},
		{
			Name: "Read two of three zones/n=6",
			Ours: read(zones, six, instant, 4),
			Peer: untilQuorum(ring.ReplicationSet{Instances: instances(six), MaxUnavailableZones: 1, ZoneAwarenessEnabled: true}, "", 4), Limit: 0.30, Allocs: bar.AnyAllocs,
		},
	}
}

var errFault = errors.New("fault")

// failing is a replica call that one node refuses.
func failing(node string) func(context.Context, quorum.Target) (int, error) {
	return func(_ context.Context, t quorum.Target) (int, error) {
		if t.Node == node {
			return 0, errFault
		}
		return 1, nil
	}
}

// read reads from prefs and holds that so many replied, at least.
func read(c *quorum.Coordinator, prefs []string, call func(context.Context, quorum.Target) (int, error), replies int) bar.Side {
	ctx := context.Background()
	return side("distkit", func() uint64 {
		res, err := quorum.Read(ctx, c, prefs, quorum.Op[int]{Call: call})
		if err != nil || len(res.Replies) < replies {
			panic(fmt.Sprint(res, err))
		}
		return uint64(len(res.Replies))
	})
}

// instances are dskit's names for nodes; the zone is the last letter.
func instances(nodes []string) (out []ring.InstanceDesc) {
	for _, node := range nodes {
		out = append(out, ring.InstanceDesc{Addr: node, Id: node, Zone: node[len(node)-1:]})
	}
	return out
}

// untilQuorum is dskit's read of a set, of which one node refuses.
func untilQuorum(set ring.ReplicationSet, bad string, replies int) bar.Side {
	ctx := context.Background()
	call := func(_ context.Context, node *ring.InstanceDesc) (int, error) {
		if node.Addr == bad {
			return 0, errFault
		}
		return 1, nil
	}
	return side("dskit", func() uint64 {
		got, err := ring.DoUntilQuorum(ctx, set, ring.DoUntilQuorumConfig{}, call, func(int) {})
		if err != nil || len(got) < replies {
			panic(fmt.Sprint(got, err))
		}
		return uint64(len(got))
	})
}

// byHand is the least that a majority takes: goroutines and a channel.
func byHand(n int) bar.Side {
	return side("by hand", func() (sum uint64) {
		ctx, cancel := context.WithCancel(context.Background())
		results := make(chan int, n)
		for range n {
			go func() {
				v, _ := instant(ctx, quorum.Target{})
				results <- v
			}()
		}
		for range n/2 + 1 {
			sum += uint64(<-results)
		}
		cancel()
		return sum
	})
}

// hedged is failsafe-go's read from one of several, which answers at once.
func hedged() bar.Side {
	executor := failsafe.With(hedgepolicy.NewWithDelayQuantile[int](0.95, 1000, 100))
	ctx := context.Background()
	return side("failsafe-go", func() uint64 {
		v, err := executor.WithContext(ctx).GetWithExecution(func(e failsafe.Execution[int]) (int, error) { return instant(e.Context(), quorum.Target{}) })
		if err != nil {
			panic(err)
		}
		return uint64(v)
	})
}
