package distkit_test

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// published is the version that the consumer asks for: what users would get if
// the tree were tagged as it is.
const published = "v0.0.0-unpublished"

// platforms are built for in each run, by GOOS and GOARCH: every system and every
// processor that people are likely to have, once. The first build of each takes the
// compiler half a minute for the standard library.
var platforms = []string{"linux/386", "windows/amd64", "darwin/arm64", "js/wasm"}

// A program outside of this repository gets the module from a proxy, as a user's
// does, uses every package, and is built for every platform. It links the
// library, its hash and its constraints, and nothing else.
func TestConsumer(t *testing.T) {
	c := newConsumer(t)
	packages := append(publicPackages(t), "")
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n")
	for _, pkg := range packages {
		fmt.Fprintf(&source, "\t_ %q\n", path.Join(module, pkg))
	}
	source.WriteString(")\n\nfunc main() {}\n")
	c.write("main.go", source.String())
	c.run(nil, "get", module+"@"+published)

	targets := platforms
	if invariants.Enabled { // the same commands are run without the race detector
		targets = []string{runtime.GOOS + "/" + runtime.GOARCH}
	}
	for _, platform := range targets {
		goos, goarch, _ := strings.Cut(platform, "/")
		target := []string{"GOOS=" + goos, "GOARCH=" + goarch}
		c.run(target, "build", "-o", "program", ".")
		if goarch != "wasm" { // has no place for what was linked
			linked := regexp.MustCompile(`(?m)^\tdep\t(\S+)`).FindAllStringSubmatch(c.run(nil, "version", "-m", "program"), -1)
			require.Len(t, linked, 3, platform)
			for i, want := range []string{"github.com/cespare/xxhash/v2", module, "golang.org/x/exp"} {
				assert.Equal(t, want, linked[i][1], platform)
			}
		}
		for dep := range strings.FieldsSeq(c.run(target, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")) {
			known := dep == "consumer" || dep == "github.com/cespare/xxhash/v2" || dep == "golang.org/x/exp/constraints"
			assert.True(t, known || dep == module || strings.HasPrefix(dep, module+"/"), "%s: %s", platform, dep)
			assert.NotContains(t, dep, "testkit", platform)
		}
	}
	var zips []string
	require.NoError(t, filepath.WalkDir(c.downloads, func(name string, _ fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".zip" {
			zips = append(zips, name)
		}
		return err
	}))
	assert.Len(t, zips, 3, "what tests and tools need is not downloaded")
}

// Examples of the root module can be run without a clone.
func TestConsumerRunsExamples(t *testing.T) {
	c := newConsumer(t)
	out := c.run(nil, "run", module+"/examples/replica@"+published)
	assert.NotEmpty(t, out)
}

// consumer is a module that knows the library from a proxy only: a folder of
// files, beside the one that the go command keeps of what it downloaded.
type consumer struct {
	t         *testing.T
	dir       string
	downloads string
	env       []string
}

func newConsumer(t *testing.T) *consumer {
	t.Helper()
	root := t.TempDir()
	proxy := filepath.Join(root, "proxy")
	publish(t, proxy)
	downloaded := filepath.Join(goCommand(t, "env", "GOMODCACHE"), "cache", "download")
	c := &consumer{t: t, dir: filepath.Join(root, "consumer"), downloads: filepath.Join(root, "modules")}
	c.env = append(os.Environ(),
		"GOPROXY="+fileURL(proxy)+","+fileURL(downloaded),
		"GOMODCACHE="+c.downloads,       // a version that never was is not for the user's own
		"GOFLAGS=-modcacherw -trimpath", // one can be removed, one makes builds equal from run to run
		"GOSUMDB=off", "GOPRIVATE=", "GONOPROXY=none", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0",
		"GOOS="+runtime.GOOS, "GOARCH="+hostArch(),
	)
	require.NoError(t, os.Mkdir(c.dir, 0o755))
	c.write("go.mod", "module consumer\n\ngo 1.26.0\n")
	return c
}

// hostArch is what a program can be run on: a test that was built for 386 runs
// on a kernel for amd64, and the go command that it calls is as it always is.
func hostArch() string {
	out, err := exec.Command("go", "env", "GOHOSTARCH").Output()
	if err != nil {
		return runtime.GOARCH
	}
	return strings.TrimSpace(string(out))
}

func fileURL(dir string) string { return "file:///" + strings.TrimPrefix(filepath.ToSlash(dir), "/") }

func (c *consumer) write(name, text string) {
	require.NoError(c.t, os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644))
}

// run calls the go command in the consumer's folder and returns what it prints.
func (c *consumer) run(env []string, args ...string) string {
	c.t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = c.dir, append(slices.Clip(c.env), env...)
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		c.t.Fatalf("%v go %s: %v\n%s", env, strings.Join(args, " "), err, exit.Stderr)
	}
	require.NoError(c.t, err)
	return string(out)
}

// publish lays the module out below dir as the proxy protocol wants it. A zip
// holds what is below the module's root but for nested modules; folders with a
// dot are left out too, as nothing in them is for users.
func publish(t *testing.T, dir string) {
	t.Helper()
	dir = filepath.Join(dir, filepath.FromSlash(module), "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, published+".mod"), mod, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "list"), []byte(published+"\n"), 0o644))
	info := fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, published)
	require.NoError(t, os.WriteFile(filepath.Join(dir, published+".info"), []byte(info), 0o644))

	file, err := os.Create(filepath.Join(dir, published+".zip"))
	require.NoError(t, err)
	archive := zip.NewWriter(file)
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || holdsModule(name)):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		w, err := archive.Create(module + "@" + published + "/" + filepath.ToSlash(name))
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	require.NoError(t, file.Close())
}

func holdsModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
