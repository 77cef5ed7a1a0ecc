package main

import (
	"strings"
	"testing"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/shiviz"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The check finds what it is there to find.
func TestCheckFindsViolations(t *testing.T) {
	var empty vclock.Clock
	one, dot1 := node.Versions{}.Put(empty, "a", []byte("1"))
	two, dot2 := one.Put(one.Context(), "a", []byte("2")) // replaces 1
	side, dot3 := one.Put(empty, "b", []byte("3"))        // beside 1
	unseen, dot4 := node.Versions{}.Put(empty, "c", []byte("4"))

	for _, c := range []struct {
		name   string
		writes func(h *history)
		copies Copies
		want   []string
	}{
		{"nothing is wrong", func(h *history) {
			h.add("k", empty, true, dot1, 0)
			h.add("k", one.Context(), true, dot2, 0)
		}, Copies{"x": two, "y": two}, nil},
		{"a conflict is a conflict", func(h *history) {
			h.add("k", empty, true, dot1, 0)
			h.add("k", empty, true, dot3, 0)
		}, Copies{"x": side, "y": side}, nil},
		{"a deleted value is gone", func(h *history) {
			h.add("k", empty, true, dot1, 0)
			h.add("k", one.Context(), true, vclock.Dot{}, 0)
		}, Copies{"x": one.Discard(one.Context())}, nil},
		{"an acknowledged write is unknown", func(h *history) {
			h.add("k", empty, true, dot1, 0)
			h.add("k", empty, true, dot4, 0)
		}, Copies{"x": one, "y": one}, []string{"I1"}},
		{"no node has the key", func(h *history) { h.add("k", empty, true, dot1, 0) }, nil, []string{"I1"}},
		{"a value vanished that nobody replaced", func(h *history) {
			h.add("k", empty, true, dot1, 0)
		}, Copies{"x": one.Discard(one.Context())}, []string{"I1"}},
		{"copies differ", func(h *history) {
			h.add("k", empty, true, dot1, 0)
		}, Copies{"x": one, "y": one.Merge(unseen)}, []string{"I2"}},
		{"a replaced value is back", func(h *history) {
			h.add("k", empty, true, dot1, 0)
			h.add("k", one.Context(), true, vclock.Dot{}, 0)
		}, Copies{"x": one}, []string{"I3"}},
		{"a value that nobody wrote", func(h *history) {
			h.add("k", empty, true, dot1, 0)
		}, Copies{"x": one.Merge(unseen)}, []string{"I3"}},
		{"a write of unknown outcome may be there", func(h *history) {
			h.add("k", empty, true, dot1, 1)
		}, Copies{"x": one.Merge(unseen)}, nil},
		{"and may have replaced what its writer had seen", func(h *history) {
			h.add("k", empty, true, dot1, 0)
			h.add("k", one.Context(), false, vclock.Dot{}, 1)
		}, Copies{"x": two}, nil},
	} {
		h := newHistory()
		c.writes(h)
		all := map[string]Copies{}
		if c.copies != nil {
			all["k"] = c.copies
		}
		var got []string
		for _, v := range h.check(all) {
			got = append(got, v.Invariant)
			require.Contains(t, v.String(), `key "k"`)
		}
		if len(c.copies) > 0 && c.want != nil && c.want[0] == "I2" {
			require.Contains(t, got, "I2", c.name) // whichever copy is looked at first may break another, too
			continue
		}
		assert.Equal(t, c.want, got, c.name)
	}
}

// The history of a key that breaks an invariant is a log that ShiViz can draw.
func TestHistoryIsALog(t *testing.T) {
	var empty vclock.Clock
	one, dot1 := node.Versions{}.Put(empty, "a", []byte("1"))
	two, dot2 := one.Put(one.Context(), "b", []byte("2"))
	h := newHistory()
	h.add("k", empty, true, dot1, 1)
	h.add("k", one.Context(), true, dot2, 0)
	h.add("k", two.Context(), true, vclock.Dot{}, 0)
	assert.Equal(t, `; its writes, as https://bestchai.bitbucket.io/shiviz/ reads them:
a {"a":1}
put
b {"a":1,"b":1}
put
# a delete having seen {"a":1, "b":1}
# a write of unknown outcome having seen {}`, h.keys["k"].String())
	_, log, _ := strings.Cut(h.keys["k"].String(), "\n")
	log, _, _ = strings.Cut(log, "#")
	events := 0
	for event, err := range shiviz.Parse(strings.NewReader(log)) {
		require.NoError(t, err)
		assert.Equal(t, "put", event.Text)
		events++
	}
	assert.Equal(t, 2, events)
}
