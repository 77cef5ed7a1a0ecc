package distkit_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pages returns the texts for users by path.
func pages(t *testing.T) map[string]string {
	texts := map[string]string{}
	require.NoError(t, walkFiles(".", func(path string) {
		if strings.HasSuffix(path, ".md") && !strings.HasPrefix(path, "bench/") && !strings.Contains(path, "testdata/") {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			texts[path] = string(data)
		}
	}))
	require.Contains(t, texts, "README.md")
	return texts
}

// code brings source into one form, whatever its indentation and blank lines.
func code(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// Code in the documentation is a piece of an Example or of a program here, which
// are compiled and run; output that follows is what that Example prints.
func TestCodeInDocs(t *testing.T) {
	sources := map[string]string{}
	require.NoError(t, walkFiles(".", func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "examples/") && strings.HasSuffix(path, ".go") {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			sources[path] = code(string(data))
		}
	}))
	paths := slices.Sorted(maps.Keys(sources))
	blocks := 0
	shown := regexp.MustCompile("(?s)```go\n(.*?)```(?:\n\n```text\n(.*?)```)?")
	for page, text := range pages(t) {
		for _, m := range shown.FindAllStringSubmatch(text, -1) {
			blocks++
			at := slices.IndexFunc(paths, func(path string) bool { return strings.Contains(sources[path], code(m[1])) })
			if !assert.GreaterOrEqual(t, at, 0, "%s has code that is in no test and in no example:\n%s", page, m[1]) {
				continue
			}
			_, after, _ := strings.Cut(sources[paths[at]], code(m[1]))
			if m[2] != "" {
				example, _, _ := strings.Cut(after, "\nfunc ")
				assert.Contains(t, code(strings.ReplaceAll(example, "//", "")), code(m[2]), "%s shows what %s does not print", page, paths[at])
			}
		}
	}
	assert.NotZero(t, blocks)
}

// Commands in the documentation name packages, files and tests that there are.
func TestCommandsInDocs(t *testing.T) {
	command := regexp.MustCompile("(?m)(?:GOWORK=off )?go (?:run|test|vet)(?: -C (\\S+))?((?: [^`\n]*)?)")
	for page, text := range pages(t) {
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			for word := range strings.FieldsSeq(m[2]) {
				if dir, ok := strings.CutPrefix(strings.Trim(word, "`.,;:)"), "./"); ok {
					_, err := os.Stat(filepath.Join(m[1], strings.TrimSuffix(dir, "/...")))
					assert.NoError(t, err, "%s: %s", page, m[0])
				}
			}
		}
	}
}

// What the documentation shows after a command of the form `$ go run ./examples/x`
// is what the command prints. The reports of the flagship and of cluster differ
// from run to run: their own tests compare what does not.
func TestOutputInDocs(t *testing.T) {
	if invariants.Enabled {
		return // the programs are not built for the race detector, and run without it already
	}
	dir := t.TempDir()
	built := map[string]bool{}
	block := regexp.MustCompile(`(?m)^    \$ go run \./(examples/(\w+))(.*)\n((?:(?:    .*)?\n)*)`)
	for page, text := range pages(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			if m[2] == "dynamo" || m[2] == "cluster" {
				continue
			}
			binary := filepath.Join(dir, m[2])
			if !built[binary] {
				goCommand(t, "build", "-o", binary, "./"+m[1])
				built[binary] = true
			}
			var want strings.Builder
			for line := range strings.Lines(strings.TrimRight(m[4], "\n") + "\n") {
				want.WriteString(strings.TrimRight(strings.TrimPrefix(line, "    "), " \n") + "\n")
			}
			out, err := exec.Command(binary, strings.Fields(m[3])...).CombinedOutput()
			require.NoError(t, err, "%s: %s: %s", page, m[0], out)
			got := regexp.MustCompile(`(?m)[ ]+$`).ReplaceAllString(string(out), "")
			assert.Equal(t, want.String(), got, "%s shows another output of %s", page, m[1])
		}
	}
	assert.NotEmpty(t, built)
}

// envelope says of an image what the reader in docs/formats.md says.
func envelope(t *testing.T, image []byte) string {
	version := image[3]
	h, payload, err := codec.Parse(image, codec.Kind(image[2]), version)
	require.NoError(t, err)
	params := make([]string, len(h.Params))
	for i, p := range h.Params {
		params[i] = strconv.FormatUint(p, 10)
	}
	return fmt.Sprintf("kind %d version %d flags %d params [%s] payload %d", h.Kind, version, h.Must, strings.Join(params, ", "), len(payload))
}

// The reader in docs/formats.md, in another language, understands every image
// that is kept as a golden file.
func TestFormatsReader(t *testing.T) {
	m := regexp.MustCompile("(?s)```python\n(.*?)```").FindStringSubmatch(pages(t)["docs/formats.md"])
	require.NotNil(t, m, "docs/formats.md shows no reader")
	assert.LessOrEqual(t, strings.Count(m[1], "\n"), 10, "ten lines")
	var images []string
	require.NoError(t, walkFiles(".", func(path string) {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		// Gossip's messages and files of hints have the magic and a letter.
		if strings.Contains(path, "/testdata/v") && bytes.HasPrefix(data, []byte{0xd1, 0x6b}) && data[2] != 'g' && data[2] != 'h' {
			images = append(images, path)
		}
	}))
	kinds := map[byte]bool{}
	var want []string
	for _, path := range images {
		image, err := os.ReadFile(path)
		require.NoError(t, err)
		kinds[image[2]] = true
		want = append(want, envelope(t, image))
	}
	for kind := range 256 {
		if name := codec.Kind(kind).String(); !strings.HasPrefix(name, "kind ") {
			assert.True(t, kinds[byte(kind)], "no golden file of a %s", name)
			assert.Contains(t, pages(t)["docs/formats.md"], fmt.Sprintf("| %d | %s |", kind, name))
		}
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Log("no python3 here: the reader is compared where there is one")
		return
	}
	out, err := exec.Command(python, append([]string{"-c", m[1]}, images...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, want, strings.Split(strings.TrimSpace(strings.ReplaceAll(string(out), "\r", "")), "\n"))
}

// The envelope that docs/formats.md takes apart is what the codec writes.
func TestFormatsExample(t *testing.T) {
	example, err := os.ReadFile("internal/codec/example_test.go")
	require.NoError(t, err)
	_, output, ok := strings.Cut(code(string(example)), "// Output:\n")
	require.True(t, ok)
	output = strings.TrimSuffix(strings.ReplaceAll(output, "// ", ""), "}\n")
	assert.Contains(t, code(pages(t)["docs/formats.md"]), output)
}
