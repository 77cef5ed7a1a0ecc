package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/distkit/distkit/examples/internal/enginetest"
	"github.com/distkit/distkit/examples/internal/node"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the flagship's own engine has to do, this one does too.
func TestBoltIsAnEngine(t *testing.T) {
	for _, fsync := range []node.Fsync{node.FsyncGroup, node.FsyncOff} {
		t.Run(string(fsync), func(t *testing.T) {
			enginetest.Run(t, func(dir string) (node.Engine, error) { return openEngine(dir, fsync) })
		})
	}
}

// Writes that come together share transactions.
func TestWritesShareTransactions(t *testing.T) {
	e, err := openEngine(t.TempDir(), node.FsyncGroup)
	require.NoError(t, err)
	bolt := e.(*boltEngine)
	before := bolt.db.Stats()
	var waits []func() error
	for i := range 2000 {
		durable, err := e.Put(fmt.Sprint("key", i), []byte("value"))
		require.NoError(t, err)
		waits = append(waits, durable)
	}
	for _, durable := range waits {
		require.NoError(t, durable())
	}
	after := bolt.db.Stats()
	assert.Less(t, after.TxStats.GetWrite()-before.TxStats.GetWrite(), int64(1000), "writes of pages; a transaction has some four at least")
	require.NoError(t, e.Close(false))
}

// What the engine cannot do is refused at once, and harms no other write.
func TestEngineRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := openEngine(dir, node.FsyncAlways)
	assert.ErrorContains(t, err, `fsync is "always", want group or off`)
	e, err := openEngine(dir, node.FsyncGroup)
	require.NoError(t, err)
	_, err = openEngine(dir, node.FsyncGroup)
	assert.ErrorContains(t, err, "keys.db: timeout", "another one has the file")

	_, err = e.Put(strings.Repeat("k", maxKey+1), nil)
	assert.ErrorContains(t, err, "key has 32768 bytes, want at most 32767")
	durable, err := e.Put(strings.Repeat("k", maxKey), []byte("value"))
	require.NoError(t, err)
	require.NoError(t, durable())

	// A file that fails takes nothing more, for nobody knows what it holds.
	require.NoError(t, e.(*boltEngine).db.Close())
	durable, err = e.Put("key", []byte("value"))
	require.NoError(t, err)
	require.Error(t, durable())
	_, err = e.Put("key", []byte("value"))
	require.Error(t, err)
	_, _, err = e.Get("key")
	require.Error(t, err)
	_, err = e.All()
	require.Error(t, err)
	require.Error(t, e.Close(false))
}
