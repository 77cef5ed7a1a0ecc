package ring_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/require"
)

// ownersGolden tells where keys are under all kinds of placement.
func ownersGolden(t *testing.T) []byte {
	weighted := []ring.Node{{ID: "node-0", Weight: 0.25, Zone: "a"}, {ID: "node-1", Weight: 3, Zone: "b"}, {ID: "node-2", Zone: "a"}, {ID: "node-3", Weight: 1.1, Zone: "c"}, {ID: "node-4"}}
	mustTolerate := mustNew(t, ring.Nodes(names(30)...), ring.WithTolerance(0.02))
	var b bytes.Buffer
	for _, c := range []struct {
		name string
		r    *ring.Ring
	}{
		{"Ring, 5 nodes", mustNew(t, ring.Nodes(names(5)...))},
		{"Ring, 1000 nodes, 160 tokens", mustNew(t, ring.Nodes(names(1000)...), ring.WithVirtualNodes(160))},
		{"Ring, weights and zones", mustNew(t, weighted)},
		{"Ring, secret", mustNew(t, weighted, ring.WithSecret(testSecret))},
		{"Ring, tolerance 0.02, 30 nodes", mustTolerate},
		{"Ring, tolerance 0.05, weights", mustNew(t, weighted, ring.WithTolerance(0.05))},
		{"Ring, Envoy tokens", mustNew(t, weighted, ring.WithTokens(ring.EnvoyTokens))},
		{"Ring, ketama tokens", mustNew(t, weighted, ring.WithTokens(ring.KetamaTokens))},
	} {
		fmt.Fprintf(&b, "%s, fingerprint %016x\n", c.name, c.r.Fingerprint())
		for i := range 8 {
			key := fmt.Sprint("key-", i)
			owners := c.r.AppendOwnersString(nil, key, 3)
			require.Len(t, owners, 3)
			fmt.Fprintf(&b, "  %s %v\n", key, owners)
		}
	}
	return b.Bytes()
}
