package redislimit_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The public face is written down, next to those of the packages.
func TestAPI(t *testing.T) {
	cmd := exec.Command("go", "doc", "-all", ".")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	require.NoError(t, err)
	testkit.Golden(t, "../../api/ratelimit/redislimit.txt", append(out, '\n'))
}

// A program that uses the package brings a client into it, and nothing else.
func TestRequirements(t *testing.T) {
	data, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	var direct []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require)?\s+(\S+\.\S+) v\S+( // indirect)?$`).FindAllStringSubmatch(string(data), -1) {
		if m[2] == "" {
			direct = append(direct, m[1])
		}
	}
	assert.ElementsMatch(t, []string{
		"github.com/distkit/distkit", "github.com/redis/go-redis/v9",
		"github.com/alicebob/miniredis/v2", "github.com/stretchr/testify", // tests
	}, direct)
}
