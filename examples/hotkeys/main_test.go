package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func hotkeys(t *testing.T, input string, args ...string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, run(args, strings.NewReader(input), &out))
	return out.String()
}

func TestWordsOfTheInput(t *testing.T) {
	require.Equal(t, `9 keys, 6 different

                          exact       TopK    error     Sketch
"be"                          2          2        0          2
"not"                         2          2        0          2
"to"                          2          2        0          2

memory in KiB                 0         23                 530

TopK is sure that every key with more than 0 is among its 100.
Sketch counts any key, 99 of 100 by at most 1 too much, and none too little.
`, hotkeys(t, "to be, or not to be\nnot_ été? not", "-n", "3", "-"))
}

func TestLinesOfTheInput(t *testing.T) {
	out := hotkeys(t, "GET /a\nGET /b\nGET /a\n\n", "-lines", "-")
	require.Contains(t, out, `
"GET /a"                      2          2        0          2
""                            1          1        0          1
"GET /b"                      1          1        0          1
`)
}

// More words than slots: the table still names the largest, and says how sure it is.
func TestMoreWordsThanSlots(t *testing.T) {
	var in strings.Builder
	for i := range 3000 {
		for range 1 + 6000/(i+1) {
			fmt.Fprintf(&in, "w%d ", i)
		}
	}
	lines := strings.Split(hotkeys(t, in.String(), "-n", "20", "-"), "\n")
	for i, line := range lines[3:23] {
		n := 1 + 6000/(i+1)
		require.Equal(t, fmt.Sprintf("%-20q %10d %10d %8d %10d", fmt.Sprint("w", i), n, n, 0, n), line)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("none of this"), 0o600))
	require.Contains(t, hotkeys(t, "", dir), "2 keys, 2 different")
}

func TestErrors(t *testing.T) {
	discard := new(strings.Builder)
	require.EqualError(t, run([]string{"-n", "0"}, nil, discard), "number of words is 0, want 1 to 100")
	require.EqualError(t, run([]string{"-n", "101"}, nil, discard), "number of words is 101, want 1 to 100")
	require.ErrorIs(t, run([]string{filepath.Join(t.TempDir(), "none")}, nil, discard), os.ErrNotExist)
	failure := errors.New("no more")
	require.ErrorIs(t, run([]string{"-"}, iotest.ErrReader(failure), discard), failure)
	require.ErrorContains(t, run([]string{"-none"}, nil, discard), "flag provided but not defined")
}
