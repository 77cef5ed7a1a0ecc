package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Case is one command of a story.
type Case struct {
	Cmd   string   // first word of the command line
	Args  []string // the other words
	Input string   // the lines between the command and ----, without the last newline
	Pos   string   // file:line, for messages
}

// Has reports whether the word key, or key=..., is among the arguments.
func (c Case) Has(key string) bool {
	_, ok := c.lookup(key)
	return ok
}

// Get returns the value of key=value, and "" if there is none.
func (c Case) Get(key string) string {
	v, _ := c.lookup(key)
	return v
}

// Int returns the value of key=value, and def if there is none. A value that is
// no number ends the test.
func (c Case) Int(t testing.TB, key string, def int) int {
	t.Helper()
	v, ok := c.lookup(key)
	if !ok {
		return def
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %s=%s is no number", c.Pos, key, v)
	}
	return n
}

func (c Case) lookup(key string) (string, bool) {
	for _, a := range c.Args {
		if k, v, _ := strings.Cut(a, "="); k == key {
			return v, true
		}
	}
	return "", false
}

// Stories runs the golden stories of the files that match glob, a subtest each.
// A story is a text that teaches by example:
//
//	# A sentence that says what to see. Every case has one.
//	command word key=value
//	optional lines of input
//	----
//	the expected output, up to a blank line
//
// For each file, start gives a function that runs its cases in order, so that a
// file can keep state; the function returns the output. With -update the files
// are written anew; read the diff before you commit it.
func Stories(t *testing.T, glob string, start func(t *testing.T) func(Case) string) {
	t.Helper()
	paths, err := filepath.Glob(glob)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no story matches %s (%v)", glob, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := retell(path, string(text), start(t))
			if err != nil {
				t.Fatal(err)
			}
			Golden(t, path, []byte(got))
		})
	}
}

// retell returns the story with the outputs that run gives.
func retell(path, text string, run func(Case) string) (string, error) {
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	prose := false
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		out.WriteString(line + "\n")
		switch {
		case strings.HasPrefix(line, "#"):
			prose = true
			continue
		case strings.TrimSpace(line) == "":
			continue
		case !prose:
			return "", fmt.Errorf("%s:%d: no sentence above %q says what it shows", path, i+1, line)
		}
		words := strings.Fields(line)
		c := Case{Cmd: words[0], Args: words[1:], Pos: fmt.Sprintf("%s:%d", path, i+1)}
		var input []string
		for i++; i < len(lines) && lines[i] != "----"; i++ {
			input = append(input, lines[i])
			out.WriteString(lines[i] + "\n")
		}
		if i == len(lines) {
			return "", fmt.Errorf("%s: no ---- after the command", c.Pos)
		}
		c.Input = strings.Join(input, "\n")
		for i++; i < len(lines) && lines[i] != ""; i++ {
		}
		result := strings.TrimRight(run(c), "\n")
		if strings.Contains(result, "\n\n") {
			return "", fmt.Errorf("%s: the output holds a blank line, which ends an output", c.Pos)
		}
		out.WriteString("----\n" + result + "\n")
		if i < len(lines) {
			out.WriteString("\n")
		}
		prose = false
	}
	return out.String(), nil
}
