package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/stretchr/testify/require"
)

// seen runs the program and returns what it prints.
func seen(t *testing.T, input string, args ...string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, run(args, strings.NewReader(input), &out))
	return out.String()
}

func TestSeenKeepsWhatItSaw(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seen")
	require.Equal(t, "a\nb\n\nc\n", seen(t, "a\nb\na\n\n\nc", "-file", file))
	require.Equal(t, "d\n", seen(t, "a\nd\nc\n", "-file", file), "in a later run")
	require.Empty(t, seen(t, "", "-file", file))
	require.Equal(t, "3 lines, 1 new; some 6 known in 2064 KiB, next new line missed at 0.000 %\n",
		seen(t, "a\ne\ne\n", "-file", file, "-count"))
	entries, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

func TestSeenReportsWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seen")
	fails := func(args ...string) error {
		return run(append([]string{"-file", file}, args...), strings.NewReader("a\n"), &strings.Builder{})
	}
	require.EqualError(t, fails("-secret", "short"), "secret has 5 bytes, want 16")
	require.ErrorContains(t, fails("-p", "2"), "false-positive rate is 2")
	require.NoError(t, fails("-secret", "sixteen bytes...", "-n", "100"))
	require.ErrorIs(t, fails("-secret", "another sixteen!"), bloom.ErrIncompatible)
	require.NoError(t, os.WriteFile(file, []byte("no filter"), 0o600))
	require.ErrorIs(t, fails(), bloom.ErrCorrupt)
}
