package main

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestStory(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(nil, nil, &out))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.LessOrEqual(t, len(lines), 25)
	require.Equal(t, []string{
		"concurrent: bob milk=0 and eve milk=2",
		"concurrent: ann jam=1 and eve jam=3",
		"ann has jam=3 milk=2",
		"bob has jam=3 milk=2",
		"eve has jam=3 milk=2",
	}, lines[len(lines)-5:])
	require.Equal(t, `      o---------------------->o      {"ann":7, "bob":5, "eve":5}`, lines[12])
	require.Equal(t, `      o<----------o           |      {"ann":4, "bob":5, "eve":4}`, lines[9])
}

// Siblings stand side by side until they are settled, on every phone.
func TestSiblings(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{"-"}, strings.NewReader("ann tea=1\nbob tea=2\nann > bob\nbob > eve\neve > ann\n"), &out))
	for _, name := range names {
		require.Contains(t, out.String(), name+" has tea=1 tea=2\n")
	}
	require.NoError(t, run([]string{"-"}, strings.NewReader("ann tea=1\nbob tea=2\nann > bob\nbob tea=0\nbob > ann\n"), &out))
	require.Contains(t, out.String(), "ann has\nbob has\neve has\n", "deleting both")
}

func TestErrors(t *testing.T) {
	for script, want := range map[string]string{
		"joe milk=1": `line is "joe milk=1", want one of [ann bob eve]`,
		"ann > ann":  "another of them",
		"ann > joe":  "another of them",
		"ann":        `edit is "", want item=n`,
		"ann milk=x": "edit is \"milk=x\"",
		"ann milk=-": "edit is",
		"ann m=-1":   "edit is",
	} {
		require.ErrorContains(t, run([]string{"-"}, strings.NewReader(script), &strings.Builder{}), want)
	}
	require.ErrorContains(t, run([]string{"-", "x"}, nil, nil), "want none or -")
	boom := errors.New("boom")
	require.ErrorIs(t, run([]string{"-"}, iotest.ErrReader(boom), &strings.Builder{}), boom)
}
