package distkit_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

const module = "github.com/distkit/distkit"

// publicPackages returns what users import, by path below the module, the root
// aside.
func publicPackages(t *testing.T) []string {
	var paths []string
	for line := range strings.Lines(goCommand(t, "list", "./...")) {
		path := strings.TrimPrefix(strings.TrimSpace(line), module+"/")
		if path != module && !strings.Contains(path, "internal/") && !strings.HasPrefix(path, "examples/") {
			paths = append(paths, path)
		}
	}
	require.NotEmpty(t, paths)
	return paths
}

func TestRequirements(t *testing.T) {
	data, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	var direct []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require)?\s+(\S+\.\S+) v\S+( // indirect)?$`).FindAllStringSubmatch(string(data), -1) {
		if m[2] == "" {
			direct = append(direct, m[1])
		}
	}
	slices.Sort(direct)
	assert.Equal(t, []string{"github.com/cespare/xxhash/v2", "github.com/stretchr/testify", "golang.org/x/exp"}, direct)
	assert.NotContains(t, string(data), "replace", "users would not get it")
}

// What a package brings into a program: the standard library, the hash, a few
// constraints, our own core, and packages of its own family.
func TestPackagesStandAlone(t *testing.T) {
	// Who may stand on whom besides its own parent.
	allowed := map[string][]string{"quorum": {"quorum/expr", "quorum/pbs"}, "merkle/blob": {"merkle/tlog"}}
	for _, pkg := range append(publicPackages(t), "examples/dynamo") {
		for line := range strings.Lines(goCommand(t, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./"+pkg)) {
			dep := strings.TrimSpace(line)
			local, ours := strings.CutPrefix(dep, module+"/")
			switch {
			case dep == "", local == pkg, dep == "github.com/cespare/xxhash/v2", dep == "golang.org/x/exp/constraints":
			case ours && strings.HasPrefix(local, "internal/") && local != "internal/testkit":
			case ours && strings.HasPrefix(pkg, local+"/"), ours && slices.Contains(allowed[pkg], local):
			case ours && strings.HasPrefix(local, pkg+"/internal/"):
			case ours && local != "internal/testkit" && strings.HasPrefix(pkg, "examples/"), dep == module && strings.HasPrefix(pkg, "examples/"):
			default:
				t.Errorf("%s depends on %s", pkg, dep)
			}
		}
	}
}

// The public face is written down, so that no change of it goes unseen.
func TestAPI(t *testing.T) {
	want := []string{"api/ratelimit/redislimit.txt"} // a module of its own, whose test writes it
	for _, pkg := range append(publicPackages(t), ".") {
		name := "api/" + pkg + ".txt"
		if pkg == "." {
			name = "api/distkit.txt"
		}
		want = append(want, name)
		testkit.Golden(t, name, []byte(goCommand(t, "doc", "-all", "./"+pkg)+"\n"))
	}
	var have []string
	err := walkFiles("api", func(path string) { have = append(have, path) })
	require.NoError(t, err)
	assert.ElementsMatch(t, want, have, "a file for each package, and none for a package that is gone")
}
