package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	simSeed  = flag.Uint64("sim.seed", 0, "play the simulated story of this seed only")
	simCount = flag.Int("sim.count", 4, "how many simulated stories to play")
)

// Whatever goes wrong in five simulated nodes, in seconds of fake time: no
// acknowledged write is lost, the copies agree in the end, no sibling is false,
// and who brings what they have seen is never told less.
func TestSimulation(t *testing.T) {
	log.SetOutput(io.Discard) // nodes complain about peers that die
	first, count := uint64(1), *simCount
	if *simSeed > 0 {
		first, count = *simSeed, 1
	}
	if invariants.Enabled { // as under -race, which takes ten times as long
		count = min(count, 3)
	}
	for seed := first; seed < first+uint64(count) && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playStory(t, seed) })
			if t.Failed() {
				t.Logf("play it again: go test ./examples/dynamo -run TestSimulation -sim.seed %d", seed)
			}
		})
	}
}

// A seed plays the same story again, and another seed another one.
func TestSimulationReplays(t *testing.T) {
	log.SetOutput(io.Discard)
	var sums []uint64
	for _, seed := range []uint64{7, 7, 8} {
		synctest.Test(t, func(t *testing.T) {
			d := playStory(t, seed)
			assert.NotZero(t, d.events)
			sums = append(sums, d.sum)
		})
	}
	assert.Equal(t, sums[0], sums[1])
	assert.NotEqual(t, sums[1], sums[2])
}

// story is one seed's.
type story struct {
	*sim
	t       *testing.T
	cluster *Cluster
	history *history
	digest  digest
	over    context.Context

	collected uint64 // copies of deleted keys
}

const storyTime = 6 * time.Second

func playStory(t *testing.T, seed uint64) *digest {
	s := &story{sim: newSim(seed), t: t, history: newHistory()}
	settings := node.Settings{N: 3, R: 2, W: 2, Fsync: node.FsyncGroup, HintRate: 2000, RepairEvery: 300 * time.Millisecond, Grace: 700 * time.Millisecond}
	// The nodes of the cluster are looked up when they are called.
	s.nodes = func(name string) *node.Node {
		s.cluster.mu.RLock()
		defer s.cluster.mu.RUnlock()
		return s.cluster.nodes[name]
	}
	c, err := startCluster(t.TempDir(), nodeCount, zoneCount, settings, s.platform())
	require.NoError(t, err)
	s.cluster = c
	defer func() {
		assert.NoError(t, c.Close())
		synctest.Wait()
	}()
	require.NoError(t, within(t.Context(), 10*time.Second, c.AwaitAgreement))
	var cancel context.CancelFunc
	s.over, cancel = context.WithTimeout(t.Context(), storyTime)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 4 {
		client, err := node.NewClient(t.Context(), c.client, c.Addr, "node-1", node.RouteAware)
		for err != nil { // the answer was lost
			client, err = node.NewClient(t.Context(), c.client, c.Addr, "node-2", node.RouteAware)
		}
		client.Name = fmt.Sprint("client-", i)
		wg.Go(func() { s.client(client, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	wg.Go(func() { s.nemesis(rand.New(rand.NewPCG(seed, 99))) })
	wg.Wait()
	s.end()
	return &s.digest
}

// client reads, writes and deletes a few keys.
func (s *story) client(client *node.Client, rng *rand.Rand) {
	seen := map[string]vclock.Clock{}
	for n := 0; s.over.Err() == nil; n++ {
		time.Sleep(time.Duration(rng.IntN(int(40 * time.Millisecond))))
		key, dice := fmt.Sprint("key-", rng.IntN(6)), rng.IntN(10)
		if rng.IntN(5) == 0 { // left alone for long enough that what is deleted may be forgotten
			key, dice = fmt.Sprint("seldom-", rng.IntN(30)), 5+rng.IntN(2)
		}
		ctx := context.Background()
		if dice == 0 { // blind
			a, err := client.Put(ctx, key, vclock.Clock{}, fmt.Appendf(nil, "%s %d", client.Name, n))
			s.note(client, "blind", key, vclock.Clock{}, a, err)
			continue
		}
		a, err := client.Get(ctx, key, seen[key])
		s.digest.add(time.Since(s.start), fmt.Sprint(client.Name, "get", key, len(a.Values), err == nil))
		if err != nil {
			continue
		}
		assert.True(s.t, a.Context.Descends(seen[key]), "%s has seen %s of %s and is told %s", client.Name, seen[key], key, a.Context)
		seen[key] = a.Context
		switch {
		case dice < 6:
			put, err := client.Put(ctx, key, a.Context, union(a.Values, fmt.Sprintf("%s %d", client.Name, n)))
			s.note(client, "put", key, a.Context, put, err)
			if err == nil {
				seen[key] = seen[key].Merge(put.Context)
			}
		case dice == 6 && len(a.Values) > 0:
			del, deleted, err := client.Delete(ctx, key, a.Context)
			s.history.add(key, a.Context, deleted, vclock.Dot{}, del.Maybe+failed(err))
			s.digest.add(time.Since(s.start), fmt.Sprint(client.Name, "delete", key, deleted, err == nil))
		}
	}
}

func failed(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

func (s *story) note(client *node.Client, what, key string, seen vclock.Clock, a node.Answer, err error) {
	s.history.add(key, seen, err == nil, a.Dot, a.Maybe)
	s.digest.add(time.Since(s.start), fmt.Sprint(client.Name, what, key, a.Dot, err == nil))
}

// nemesis does what goes wrong, one thing at a time, and never more than the
// settings promise to stand: two copies of what is acknowledged, so at most one
// node without its disk, and none before the last one is whole again.
func (s *story) nemesis(rng *rand.Rand) {
	c := s.cluster
	joined := false
	for s.over.Err() == nil {
		pause(s.over, 200*time.Millisecond+time.Duration(rng.IntN(int(800*time.Millisecond))))
		var up, down []string
		for _, m := range c.Members() {
			if c.running(m.ID) {
				up = append(up, m.ID)
			} else {
				down = append(down, m.ID)
			}
		}
		deed := ""
		var err error
		switch dice := rng.IntN(10); {
		case dice < 3 && len(down) < 2:
			deed = up[rng.IntN(len(up))]
			err = c.Kill(deed)
			deed = "kill " + deed
		case dice < 6 && len(down) > 0:
			deed = down[rng.IntN(len(down))]
			err = c.Start(deed)
			deed = "revive " + deed
		case dice < 8:
			rng.Shuffle(len(up), func(i, j int) { up[i], up[j] = up[j], up[i] })
			side := up[:1+rng.IntN(len(up)-1)]
			err = c.Cut(side)
			deed = fmt.Sprint("cut ", side)
		case dice == 8 && len(down) == 0:
			deed = "wipe"
			err = s.wipe(up[rng.IntN(len(up))])
		case dice == 9 && len(down) == 0 && !joined:
			joined, deed = true, "join"
			c.Heal()
			if within(context.Background(), 5*time.Second, c.AwaitAgreement) == nil {
				_, err = c.Add(context.Background(), newcomer)
			}
		default:
			c.Heal()
			deed = "heal"
		}
		require.NoError(s.t, err, deed)
		s.digest.add(time.Since(s.start), deed)
	}
}

// wipe takes a node's disk when all copies are whole, and waits until they are
// again.
func (s *story) wipe(name string) error {
	c := s.cluster
	c.Heal()
	if !s.whole() {
		return nil
	}
	if err := c.Kill(name); err != nil {
		return err
	}
	if err := c.Wipe(name); err != nil {
		return err
	}
	if err := c.Start(name); err != nil {
		return err
	}
	if !s.whole() {
		return errStory
	}
	return nil
}

// whole waits for a moment in which no copy is behind. Clients go on.
func (s *story) whole() bool {
	return within(context.Background(), 60*time.Second, func(ctx context.Context) error {
		return await(ctx, "copies differ", func() bool {
			state, err := s.cluster.State()
			return err == nil && state.Hints == 0 && state.Diverged == 0
		})
	}) == nil
}

// end makes everything work again, waits, and checks.
func (s *story) end() {
	c := s.cluster
	c.Heal()
	for _, m := range c.Members() {
		if !c.running(m.ID) {
			require.NoError(s.t, c.Start(m.ID))
		}
	}
	require.NoError(s.t, within(s.t.Context(), 20*time.Second, c.AwaitAgreement))
	assert.True(s.t, s.whole(), "the copies agree")
	all, err := c.Inspect()
	require.NoError(s.t, err)
	found := s.history.check(all)
	assert.Empty(s.t, slices.Clip(found))
	for _, n := range c.Running() {
		s.collected += n.Collected()
	}
}
