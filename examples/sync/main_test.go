package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// folder makes a folder of files with these contents.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			name, err := filepath.Rel(dir, path)
			require.NoError(t, err)
			files[filepath.ToSlash(name)] = string(data)
		}
		return err
	}))
	return files
}

func TestDemo(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(nil, nil, &out))
	require.Equal(t, `1000 files here: 2 messages of 440 bytes find 5 differences
  copied    007.txt, 7 bytes
  copied    042.txt, 11 bytes
  copied    500.txt, 8 bytes
  copied    new.txt, 3 bytes
  only here mine.txt
1002 files here: 2 messages of 440 bytes find 1 differences
  only here mine.txt
`, out.String())
}

func TestSyncCopiesWhatDiffers(t *testing.T) {
	from := map[string]string{"a": "1", "deep/er/b": "2", "deep/c": "", "same": "s"}
	to := map[string]string{"a": "0", "same": "s", "own": "o", "deep/c": "x"}
	source, target := folder(t, from), folder(t, to)
	var out strings.Builder
	require.NoError(t, run([]string{source, target}, nil, &out))
	require.Contains(t, out.String(), "find 4 differences\n  copied    a, 1 bytes\n  copied    deep/c, 0 bytes\n  copied    deep/er/b, 1 bytes\n  only here own\n")
	from["own"] = "o"
	require.Equal(t, from, contents(t, target))
	delete(from, "own")
	require.Equal(t, from, contents(t, source))

	// The same by a server, to another folder.
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	go listen(l, source)
	target = folder(t, nil)
	for range 2 {
		require.NoError(t, run([]string{"-from", l.Addr().String(), target}, nil, &out))
		require.Equal(t, from, contents(t, target))
	}
	require.NoError(t, l.Close())
	require.Error(t, run([]string{"-from", l.Addr().String(), target}, nil, &out))
}

func TestSyncReportsWhatIsWrong(t *testing.T) {
	fails := func(args ...string) error { return run(args, nil, &strings.Builder{}) }
	require.EqualError(t, fails("a"), "1 folders, want FROM and TO, or one of them with -serve or -from")
	require.EqualError(t, fails("-from", "x", "-serve", "y", "z"), "1 folders, want FROM and TO, or one of them with -serve or -from")
	require.ErrorIs(t, fails(t.TempDir(), "/no/such/folder"), os.ErrNotExist)
	require.Error(t, fails("-serve", "no address", t.TempDir()))
	require.Error(t, fails("/no/such/folder", t.TempDir()))
}
