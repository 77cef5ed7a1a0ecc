package node_test

import (
	"testing"

	"github.com/distkit/distkit/examples/internal/enginetest"
	"github.com/distkit/distkit/examples/internal/node"
)

func TestStoreIsAnEngine(t *testing.T) {
	for _, fsync := range []node.Fsync{node.FsyncAlways, node.FsyncGroup, node.FsyncOff} {
		t.Run(string(fsync), func(t *testing.T) {
			enginetest.Run(t, func(dir string) (node.Engine, error) { return node.OpenStore(dir, fsync) })
		})
	}
}
