package hints_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/distkit/distkit/quorum/hints"
	"github.com/stretchr/testify/require"
)

// TestDirectoryGone: a store whose directory is taken away says so to whoever
// puts, and counts what was lost.
func TestDirectoryGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hints")
	l := open(t, dir)
	put(t, l, "a", "k", "v")
	put(t, l, "c", "k", "v")
	put(t, l, "c", "l", "v")
	id := pending(l, "c")[0].ID
	require.NoError(t, os.RemoveAll(dir))
	require.ErrorIs(t, l.Put(hints.Hint{Owner: "b", Key: "k"}), os.ErrNotExist)
	require.Empty(t, pending(l, "a"))
	require.EqualValues(t, 1, l.Stats().Damaged)
	require.ErrorIs(t, l.Done("c", id), os.ErrNotExist, "the note cannot be written")
	require.ErrorIs(t, l.Close(), hints.ErrCorrupt)
}

// TestNotAFile: a directory in the place of the notes refuses Open, rather than
// deliver what may have been delivered.
func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	put(t, l, "a", "k", "v")
	require.NoError(t, l.Close())
	name := filepath.Join(dir, "0000000000000001.done")
	require.NoError(t, os.Mkdir(name, 0o700))
	_, err := hints.Open(dir)
	require.ErrorContains(t, err, name)
}
