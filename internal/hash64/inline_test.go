//go:build amd64 || arm64

package hash64_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where words have 64 bits: the mixing functions stand in the hot loop of every structure; a call each
// would cost more than they do.
func TestInlining(t *testing.T) {
	said := func(pkg string) string {
		out, err := exec.Command("go", "build", "-gcflags=-m", pkg).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	core := said(".")
	for _, f := range []string{"Bytes", "String", "Mix", "Reduce", "Start", "(*Probe).Next", "round", "word"} {
		assert.Contains(t, core, "can inline "+f+"\n")
	}
	assert.Contains(t, said("./testdata/caller"), "inlining call to hash64.Integer[")
}
