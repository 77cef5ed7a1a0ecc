package bloom

import (
	"io"
	"math"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Scalable: package comment, Format. The payload begins with the
// layers' numbers of blocks: computing them again could round differently on
// another processor.
const (
	scalableVersion = 0
	scalableParams  = 5 // first, rate, fresh, layers, check value of the secret
	scalableAlign   = 3
)

func (s *Scalable) format() (codec.Kind, byte) { return codec.BloomScalable, scalableVersion }

func (s *Scalable) image() (codec.Header, content, error) {
	if len(s.layers) == 0 {
		return codec.Header{}, content{}, errEncodeZero
	}
	sizes := make([]uint64, len(s.layers))
	words := [][]uint64{sizes}
	for i := range s.layers {
		sizes[i] = s.layers[i].count()
		words = append(words, s.layers[i].words)
	}
	return codec.Header{
		Kind: codec.BloomScalable, Version: scalableVersion, Align: scalableAlign,
		Params: []uint64{s.first, math.Float64bits(s.rate), s.fresh, uint64(len(s.layers)), s.checkValue()},
	}, content{more: words}, nil
}

func (s *Scalable) accept(h codec.Header, payload uint64) error {
	if err := h.Check(0, scalableParams, scalableAlign); err != nil {
		return err
	}
	first, rate, layers := h.Params[0], math.Float64frombits(h.Params[1]), h.Params[3]
	switch {
	case first == 0:
		return codec.Corrupt(codec.BloomScalable, "first layer is for no keys")
	case !(rate >= minScalableRate && rate < 1):
		return codec.Corrupt(codec.BloomScalable, "rate is %g, want %g to 1", rate, minScalableRate)
	case layers == 0 || layers > maxLayers:
		return codec.Corrupt(codec.BloomScalable, "%d layers, want 1 to %d", layers, maxLayers)
	case payload < layers*(8+blockBytes) || (payload-8*layers)%blockBytes != 0:
		return codec.Corrupt(codec.BloomScalable, "payload of %d bytes for %d layers", payload, layers)
	}
	return s.acceptSize(payload - 8*layers)
}

func (s *Scalable) restore(h codec.Header, from content) error {
	n := h.Params[3]
	sizes, words := from.words[:n], from.words[n:]
	layers := make([]blocks, n)
	for i, z := range sizes {
		if z == 0 || z > uint64(len(words))/blockWords {
			return codec.Corrupt(codec.BloomScalable, "layer %d has %d blocks, payload %d", i, z, len(words)/blockWords)
		}
		end := z * blockWords
		layers[i] = blocks{words: words[:end:end]}
		words = words[end:]
	}
	if len(words) > 0 {
		return codec.Corrupt(codec.BloomScalable, "%d blocks beyond the last layer", len(words)/blockWords)
	}
	s.layers, s.first, s.rate, s.fresh, s.full = layers, h.Params[0], math.Float64frombits(h.Params[1]), h.Params[2], false
	return nil
}

// MarshalBinary returns the image of s; see the package comment for its bytes.
func (s *Scalable) MarshalBinary() ([]byte, error) { return appendImage(s, nil) }

// AppendBinary appends the image of s to b.
func (s *Scalable) AppendBinary(b []byte) ([]byte, error) { return appendImage(s, b) }

// UnmarshalBinary makes s what its image, exactly data, says; see
// Filter.UnmarshalBinary.
func (s *Scalable) UnmarshalBinary(data []byte) error { return decodeImage(s, data) }

// WriteTo writes the image of s to w without a second copy of it in memory.
func (s *Scalable) WriteTo(w io.Writer) (int64, error) { return writeImage(s, w) }

// ReadFrom reads exactly one image from r; see Filter.ReadFrom.
func (s *Scalable) ReadFrom(r io.Reader) (int64, error) { return readImage(s, r) }

// MarshalText returns the image of s in standard base64, so that JSON works.
func (s *Scalable) MarshalText() ([]byte, error) { return encodeText(s) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (s *Scalable) UnmarshalText(text []byte) error { return decodeText(s, text) }
