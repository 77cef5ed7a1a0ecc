package vclock_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

func TestSiblingsJSON(t *testing.T) {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "b", "gone")
	s, _ = s.Put(s.Context(), "a", "old")
	read := s.Context()
	s, _ = s.Put(read, "a", "eggs")
	s, _ = s.Put(read, "a", "milk")
	js, err := json.Marshal(s)
	require.NoError(t, err)
	require.Equal(t, `{"context":{"a":3,"b":1},"values":{"a":["milk","eggs"]}}`, string(js))

	empty, err := json.Marshal(vclock.Siblings[int]{})
	require.NoError(t, err)
	require.Equal(t, `{"context":{}}`, string(empty))

	rng := rand.New(rand.NewPCG(13, 14))
	for range 500 {
		s := randomSiblings(rng)
		js, err := json.Marshal(s)
		if s.Context().Get("z\xff") > 0 {
			require.ErrorContains(t, err, "is not UTF-8")
			continue
		}
		require.NoError(t, err)
		var back vclock.Siblings[string]
		require.NoError(t, json.Unmarshal(js, &back))
		checkSiblings(t, back)
		require.True(t, s.Equal(back))
		require.Equal(t, drawing(s), drawing(back))
	}
}

func TestHostileSiblingsJSON(t *testing.T) {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "kept", "v")
	before := drawing(s)
	for _, bad := range []string{
		`[]`, `1`, `{"context":1}`, `{"context":{"a":1},"values":{"a":["x","y"]}}`, `{"context":{},"values":{"a":["x"]}}`,
		`{"context":{"a":1},"values":{"b":[]}}`, `{"context":{"a":1},"values":{"a":[1]}}`, `{"context":{"a":1},"values":{"a":"x"}}`,
		`{"context":{"a":1},"value":{}}`, `{"context":{"a":1,"a":1}}`, `{"context":{"a":4611686018427387905}}`,
	} {
		require.ErrorIs(t, json.Unmarshal([]byte(bad), &s), vclock.ErrCorrupt, bad)
		require.Equal(t, before, drawing(s))
	}
	require.ErrorIs(t, s.UnmarshalJSON([]byte(`{"context":{}} {}`)), vclock.ErrCorrupt)
	require.Equal(t, before, drawing(s))
	require.NoError(t, json.Unmarshal([]byte("null"), &s))
	require.Equal(t, before, drawing(s))
	var never vclock.Siblings[chan int]
	never, _ = never.Put(vclock.Clock{}, "a", nil)
	_, err := json.Marshal(never)
	require.Error(t, err)
}
