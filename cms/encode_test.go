package cms_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var secret, otherSecret = [16]byte{0x5e, 1, 14: 0xc7}, [16]byte{0x5e, 2, 14: 0xc7}

func fill(add func(key []byte, n uint64) uint64) {
	for i := range 300 {
		add(fmt.Append(nil, "key", i), uint64(1+i%17*i))
	}
}

// What is read is what was written, in every form, and nothing else is taken.
func TestSketchImages(t *testing.T) {
	for _, opts := range [][]cms.Option{nil, {cms.WithConservative()}, {cms.WithWideCounters()}, {cms.WithSecret(secret)}} {
		s, err := cms.NewSize(40, 3, opts...)
		require.NoError(t, err)
		fill(s.AddN)
		image, err := s.MarshalBinary()
		require.NoError(t, err)
		empty := func() *cms.Sketch {
			e, err := cms.NewSize(1, 1, opts...)
			require.NoError(t, err)
			return e
		}
		back := empty()
		var stream bytes.Buffer
		n, err := s.WriteTo(&stream)
		require.NoError(t, err)
		assert.Equal(t, image, stream.Bytes())
		m, err := back.ReadFrom(&stream)
		require.NoError(t, err)
		assert.Equal(t, n, m)
		assert.True(t, back.Equal(s))
		assert.Equal(t, s.Count([]byte("key299")), back.CountString("key299"))

		text, err := json.Marshal(s)
		require.NoError(t, err)
		back = empty()
		require.NoError(t, json.Unmarshal(text, back))
		assert.True(t, back.Equal(s))
		for cut := range image {
			require.ErrorIs(t, back.UnmarshalBinary(image[:cut]), cms.ErrCorrupt)
			_, err := back.ReadFrom(bytes.NewReader(image[:cut]))
			require.ErrorIs(t, err, cms.ErrCorrupt)
		}
		assert.True(t, back.Equal(s), "a failed decoding changes nothing")
		other, err := cms.NewSize(1, 1, cms.WithSecret(otherSecret))
		require.NoError(t, err)
		assert.ErrorIs(t, other.UnmarshalBinary(image), cms.ErrIncompatible)
		_, err = other.ReadFrom(bytes.NewReader(image))
		assert.ErrorIs(t, err, cms.ErrIncompatible)
		assert.ErrorIs(t, other.UnmarshalText([]byte("no base64!")), cms.ErrCorrupt)
	}
	_, err := new(cms.Sketch).MarshalText()
	assert.ErrorContains(t, err, "New")
	_, err = new(cms.Sketch).WriteTo(&bytes.Buffer{})
	assert.ErrorContains(t, err, "New")
}

func TestTopKImages(t *testing.T) {
	k, err := cms.NewTopK(20, cms.WithCounters(64), cms.WithSecret(secret))
	require.NoError(t, err)
	fill(k.AddN)
	image, err := k.AppendBinary(nil)
	require.NoError(t, err)
	back, err := cms.NewTopK(1, cms.WithSecret(secret))
	require.NoError(t, err)
	var stream bytes.Buffer
	_, err = k.WriteTo(&stream)
	require.NoError(t, err)
	_, err = back.ReadFrom(&stream)
	require.NoError(t, err)
	assert.True(t, back.Equal(k))
	text, err := k.MarshalText()
	require.NoError(t, err)
	require.NoError(t, back.UnmarshalText(text))
	for item := range k.Items() {
		assert.True(t, back.ContainsString(item.Key))
		assert.Equal(t, item.Count, back.CountString(item.Key))
	}
	for cut := range image {
		require.ErrorIs(t, back.UnmarshalBinary(image[:cut]), cms.ErrCorrupt)
	}
	plain, err := cms.NewTopK(1)
	require.NoError(t, err)
	assert.ErrorIs(t, plain.UnmarshalBinary(image), cms.ErrIncompatible)
	_, err = new(cms.TopK).MarshalBinary()
	assert.ErrorContains(t, err, "New")
}

// CountMean takes the noise of the other keys off; its mean error is nearer to
// nothing than that of Count, which is never below the truth.
func TestCountMean(t *testing.T) {
	s, err := cms.NewSize(64, 5)
	require.NoError(t, err)
	var biased, corrected float64
	for i := range 2000 {
		s.Add(fmt.Append(nil, i))
	}
	for i := range 2000 {
		key := fmt.Append(nil, i)
		assert.Equal(t, s.CountMean(key), s.CountMeanString(string(key)))
		biased += float64(s.Count(key)) - 1
		corrected += s.CountMean(key) - 1
	}
	assert.Less(t, max(corrected, -corrected), biased/4)
	assert.InDelta(t, 0.0067, s.Delta(), 1e-4, "e^-5")
}
