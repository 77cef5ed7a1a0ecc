package ring_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/require"
)

// ownersGolden tells where keys are under all kinds of placement.
func ownersGolden(t *testing.T) []byte {
	weighted := []ring.Node{{ID: "node-0", Weight: 0.25, Zone: "a"}, {ID: "node-1", Weight: 3, Zone: "b"}, {ID: "node-2", Zone: "a"}, {ID: "node-3", Weight: 1.1, Zone: "c"}, {ID: "node-4"}}
	var b bytes.Buffer
	for _, c := range []struct {
		name string
		l    locator
	}{
		{"Ring, 5 nodes", mustNew(t, ring.Nodes(names(5)...))},
		{"Ring, 1000 nodes, 160 tokens", mustNew(t, ring.Nodes(names(1000)...), ring.WithVirtualNodes(160))},
		{"Ring, weights and zones", mustNew(t, weighted)},
		{"Ring, secret", mustNew(t, weighted, ring.WithSecret(testSecret))},
		{"Ring, tolerance 0.02, 30 nodes", mustNew(t, ring.Nodes(names(30)...), ring.WithTolerance(0.02))},
		{"Ring, tolerance 0.05, weights", mustNew(t, weighted, ring.WithTolerance(0.05))},
		{"Ring, Envoy tokens", mustNew(t, weighted, ring.WithTokens(ring.EnvoyTokens))},
		{"Ring, ketama tokens", mustNew(t, weighted, ring.WithTokens(ring.KetamaTokens))},
		{"Rendezvous, 30 nodes", mustRendezvous(t, ring.Nodes(names(30)...))},
		{"Rendezvous, weights and zones", mustRendezvous(t, weighted)},
		{"Rendezvous, secret", mustRendezvous(t, weighted, ring.WithSecret(testSecret))},
		{"Maglev, 30 nodes", mustMaglev(t, ring.Nodes(names(30)...))},
		{"Maglev, weights and zones", mustMaglev(t, weighted, ring.WithTableSize(1009))},
		{"Maglev, secret", mustMaglev(t, weighted, ring.WithSecret(testSecret))},
	} {
		fmt.Fprintln(&b, c.name)
		if r, ok := c.l.(*ring.Ring); ok {
			fmt.Fprintf(&b, "  fingerprint %016x\n", r.Fingerprint())
		}
		for i := range 8 {
			key := fmt.Sprint("key-", i)
			owners := c.l.AppendOwnersString(nil, key, 3)
			require.Len(t, owners, 3)
			fmt.Fprintf(&b, "  %s %v\n", key, owners)
		}
	}
	fmt.Fprintln(&b, "Jump and JumpBack among 1, 10, 1000, 10^6 buckets")
	for i := range uint64(8) {
		h := hash64.Integer(i)
		fmt.Fprintf(&b, "  %016x", h)
		for _, n := range []int{1, 10, 1000, 1_000_000} {
			fmt.Fprintf(&b, " %d %d", ring.Jump(h, n), ring.JumpBack(h, n))
		}
		fmt.Fprintln(&b)
	}
	return b.Bytes()
}
