package testkit

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write golden files and stories anew")

// Golden compares got with the file at path and shows the first line that
// differs. With -update it writes the file instead.
func Golden(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update to write it)", err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Fatalf("%s:%d: got nothing more, want %q", path, i+1, w[i])
		case i >= len(w):
			t.Fatalf("%s:%d: got %q, want nothing more", path, i+1, g[i])
		case !bytes.Equal(g[i], w[i]):
			t.Fatalf("%s:%d:\n got %q\nwant %q", path, i+1, g[i], w[i])
		}
	}
}
