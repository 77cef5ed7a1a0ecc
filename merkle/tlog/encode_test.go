package tlog_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImagesComeBack(t *testing.T) {
	for _, k := range append(kinds(), stored{name: "empty log", value: tlog.NewLog(), zero: kinds()[0].zero, equal: kinds()[0].equal},
		stored{name: "empty frontier", value: tlog.NewFrontierAt(9), zero: kinds()[1].zero, equal: kinds()[1].equal}) {
		image := must(k.value.MarshalBinary())
		got := k.zero()
		require.NoError(t, got.UnmarshalBinary(image), k.name)
		require.True(t, k.equal(k.value, got), k.name)
		require.Equal(t, image, must(got.MarshalBinary()), k.name)
		require.Equal(t, "before"+string(image), string(must(k.value.AppendBinary([]byte("before")))))

		var stream bytes.Buffer
		for range 2 {
			n, err := k.value.WriteTo(&stream)
			require.NoError(t, err)
			require.EqualValues(t, len(image), n)
		}
		require.Equal(t, append(bytes.Clone(image), image...), stream.Bytes())
		src := iotest.HalfReader(&stream)
		for range 2 {
			from := k.zero()
			n, err := from.ReadFrom(src)
			require.NoError(t, err)
			require.EqualValues(t, len(image), n)
			require.True(t, k.equal(from, k.value))
		}
		_, err := k.zero().ReadFrom(src)
		require.ErrorIs(t, err, io.EOF)

		broken := errors.New("disk full")
		for room := range 3 {
			n, err := k.value.WriteTo(&narrow{room: room * len(image) / 3, err: broken})
			require.ErrorIs(t, err, broken)
			require.Less(t, n, int64(len(image)))
		}
		buf := make([]byte, 0, len(image))
		require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = k.value.AppendBinary(buf) }), 1.0)
	}
}

// narrow has room for so many bytes.
type narrow struct {
	room int
	err  error
}

func (w *narrow) Write(b []byte) (int, error) {
	n := min(w.room, len(b))
	w.room -= n
	if n < len(b) {
		return n, w.err
	}
	return n, nil
}

// A decoded log goes on growing, and a decoded frontier with it.
func TestDecodedGoesOn(t *testing.T) {
	l, d := logs(5001)
	var back tlog.Log
	require.NoError(t, back.UnmarshalBinary(must(l.MarshalBinary())))
	check(t, d[:5001], &back)
	var f tlog.Frontier
	require.NoError(t, f.UnmarshalBinary(must(l.Frontier().MarshalBinary())))
	leaf := tlog.LeafHash([]byte("next"))
	back.AppendHash(leaf)
	f.Append(leaf)
	assert.Equal(t, append(d, leaf).mth(), back.Root())
	assert.Equal(t, back.Root(), f.Root())
}

// The images of version 0, as this release writes them.
func TestGolden(t *testing.T) {
	l, d := logs(5)
	testkit.Golden(t, "testdata/v0/log.bin", must(l.MarshalBinary()))
	testkit.Golden(t, "testdata/v0/frontier.bin", must(frontier(d, 1, 5).MarshalBinary()))
}
