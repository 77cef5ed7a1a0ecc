package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/stretchr/testify/require"
)

func verify(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, run(args, nil, &out))
	return out.String()
}

func TestTheLiarIsNamed(t *testing.T) {
	require.Equal(t, `published 1048576 bytes as ac609221198d6b8e6b7572e05ba6931ef891fc6ee4e3bef7da5954d08301d56d
64 chunks of 16384 bytes, root 7eaffab0b6cffb86993e1f3618640d5577a35dc06f09cd1b7865a4270a21b5f9
mallory lies: blob: chunks 17 to 17 do not lead to what is known: merkle: proof does not verify
 56 chunks from alice
  8 chunks from mallory
 63 hashes for 64 chunks: what is known is not sent again
complete, and the same bytes
`, verify(t))
}

func TestOtherFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("line\n", 1000)), 0o600))
	out := verify(t, "-file", file, "-chunk", "1024", "-lie", "9")
	require.NotContains(t, out, "lies", "a lie that nobody asks for")
	require.Contains(t, out, "  3 chunks from alice\n  2 chunks from mallory\n")
	require.Contains(t, verify(t, "-file", file, "-lie", "0"), "  1 chunks from alice\n  0 chunks from mallory\n")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Contains(t, verify(t, "-file", file), "complete")
}

func TestWhatGoesWrong(t *testing.T) {
	fails := func(args ...string) error { return run(args, nil, &strings.Builder{}) }
	require.ErrorContains(t, fails("-chunk", "1000"), "chunk size is 1000")
	require.ErrorIs(t, fails("-file", filepath.Join(t.TempDir(), "none")), os.ErrNotExist)
	require.Error(t, fails("-no-such-flag"))

	b, err := blob.New()
	require.NoError(t, err)
	data := make([]byte, 100)
	_, err = b.Write(data)
	require.NoError(t, err)
	liar := &peer{name: "mallory", data: data, b: b}
	_, err = download(&strings.Builder{}, b.Sum().ID(), []*peer{liar})
	require.EqualError(t, err, "chunk 0: no peer is left")
	_, err = download(&strings.Builder{}, merkle.Hash{1}, []*peer{liar})
	require.ErrorContains(t, err, "descriptor has ID")
}
