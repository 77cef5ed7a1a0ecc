package main

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The program's output is what it says on any machine.
func TestStory(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(nil, nil, &out))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, 25)
	assert.Equal(t, "400000 keys. Of hash 10, modulo 4 makes 2; when a node leaves, modulo 3 makes 1.", lines[0])
	assert.Contains(t, out.String(), `
A node joins 100         moved    astray    busiest node
  the least              0.99 %    0.00 %
  hash mod n            98.99 %   97.99 %    1.03 x mean
  ring                   1.01 %    0.00 %    1.09 x mean
  ring within 5 %        1.17 %    0.16 %    1.08 x mean
  rendezvous             1.01 %    0.00 %    1.03 x mean
  maglev                 1.54 %    0.55 %    1.05 x mean
`)
}

// What the textbook says: modulo keeps a quarter of the keys from 4 to 3 nodes
// and a hundredth from 100 to 101; ring and rendezvous never move a key astray.
func TestMovement(t *testing.T) {
	hashes, err := read(nil, nil)
	require.NoError(t, err)
	hashes = hashes[:20_000]
	for _, r := range routers {
		leaves, err := compare(r, hashes, names(4), names(4)[1:])
		require.NoError(t, err)
		joins, err := compare(r, hashes, names(100), names(101))
		require.NoError(t, err)
		switch r.name {
		case "hash mod n":
			assert.InDelta(t, 3./4, leaves.moved, 0.02)
			assert.InDelta(t, 100./101, joins.moved, 0.02)
		case "ring", "rendezvous":
			assert.Zero(t, leaves.astray, r.name)
			assert.Zero(t, joins.astray, r.name)
			fallthrough
		default:
			assert.InDelta(t, 1./4, leaves.moved, 0.04, r.name)
			assert.InDelta(t, 1./101, joins.moved, 0.008, r.name)
		}
	}
}

func TestKeysFromLines(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{"-"}, strings.NewReader("a\nb\nc\n"), &out))
	assert.Contains(t, out.String(), "3 keys.")
}

func TestErrors(t *testing.T) {
	assert.EqualError(t, run([]string{"x"}, nil, nil), `arguments are ["x"], want none or -`)
	assert.EqualError(t, run([]string{"-"}, strings.NewReader(""), nil), "no keys")
	failed := errors.New("broken")
	assert.ErrorIs(t, run([]string{"-"}, iotest.ErrReader(failed), nil), failed)
}
