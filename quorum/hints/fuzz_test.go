package hints_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/quorum/hints"
	"github.com/stretchr/testify/require"
)

// TestFormat holds the layout of the files.
func TestFormat(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	put(t, l, "node-3", "cart/7", "milk")
	put(t, l, "node-3", "", "")
	put(t, l, "node-4", "größe", "\x00\xff")
	require.NoError(t, l.Done("node-3", 1))
	require.NoError(t, l.Close())
	for _, name := range []string{"0000000000000001.hints", "0000000000000001.done", "0000000000000003.hints"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		testkit.Golden(t, filepath.Join("testdata", "v0", name), data)
	}
}

// FuzzOpen gives Open a segment and notes of any bytes: it neither panics nor
// fails, what it loads it delivers, and what it wrote it loads again.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	l, err := hints.Open(dir)
	require.NoError(f, err)
	for _, key := range []string{"a", "b", "c"} {
		require.NoError(f, l.PutAt(noon, hints.Hint{Owner: "owner", Key: key, Value: []byte("value")}))
	}
	require.NoError(f, l.Done("owner", 2))
	require.NoError(f, l.Close())
	segment, err := os.ReadFile(filepath.Join(dir, "0000000000000001.hints"))
	require.NoError(f, err)
	notes, err := os.ReadFile(filepath.Join(dir, "0000000000000001.done"))
	require.NoError(f, err)
	f.Add(segment, notes)
	f.Add(segment[:20], notes[:9])
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, segment, notes []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "0000000000000001.hints"), segment, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "0000000000000001.done"), notes, 0o600))
		l := open(t, dir, hints.WithSync(-1))
		check(t, l)
		put(t, l, "owner", "new", "value")
		list := pending(l, "owner")
		require.Equal(t, "new", list[len(list)-1].Key)
		before := l.Stats()
		_ = l.Close() // ErrCorrupt if it was
		l = open(t, dir, hints.WithSync(-1))
		require.Equal(t, before.Hints, l.Stats().Hints)
		require.Equal(t, list, pending(l, "owner"))
	})
}
