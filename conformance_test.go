package distkit_test

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// matrix is what every mutable, storable filter or sketch has.
type matrix[T any] interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
	encoding.TextMarshaler
	encoding.TextUnmarshaler
	io.WriterTo
	io.ReaderFrom
	Clone() *T
	Equal(other *T) bool
	Reset()
	SizeBytes() int
}

// subject is a type under test: how to make one, with a secret unless that is
// nil, and how to change it by the i-th key.
type subject[T any, P matrix[T]] struct {
	make   func(secret *distkit.Secret) (P, error)
	change func(p P, i int)
	merge  func(p, other P) error // nil where the type has no union
}

// made is how types are made that take options for a secret.
func made[T, O any](secret *distkit.Secret, withSecret func([16]byte) O, make func(...O) (T, error)) (T, error) {
	if secret == nil {
		return make()
	}
	return make(withSecret(*secret))
}

var conforming = map[string]func(t *testing.T){
	"bloom.Filter": conform(subject[bloom.Filter, *bloom.Filter]{
		make: func(s *distkit.Secret) (*bloom.Filter, error) {
			return made(s, bloom.WithSecret, func(o ...bloom.Option) (*bloom.Filter, error) { return bloom.New(100, 0.01, o...) })
		},
		change: func(f *bloom.Filter, i int) { f.AddString(fmt.Sprint("key", i)) },
		merge:  (*bloom.Filter).Merge,
	}),
	"bloom.Classic": conform(subject[bloom.Classic, *bloom.Classic]{
		make: func(s *distkit.Secret) (*bloom.Classic, error) {
			return made(s, bloom.WithSecret, func(o ...bloom.Option) (*bloom.Classic, error) { return bloom.NewClassic(100, 0.01, o...) })
		},
		change: func(f *bloom.Classic, i int) { f.AddString(fmt.Sprint("key", i)) },
		merge:  (*bloom.Classic).Merge,
	}),
	"bloom.Counting": conform(subject[bloom.Counting, *bloom.Counting]{
		make: func(s *distkit.Secret) (*bloom.Counting, error) {
			return made(s, bloom.WithSecret, func(o ...bloom.Option) (*bloom.Counting, error) { return bloom.NewCounting(100, 0.01, o...) })
		},
		change: func(f *bloom.Counting, i int) { f.AddString(fmt.Sprint("key", i)) },
		merge:  (*bloom.Counting).Merge,
	}),
}

func TestConformance(t *testing.T) {
	for name, test := range conforming {
		t.Run(name, test)
	}
}

func conform[T any, P matrix[T]](s subject[T, P]) func(*testing.T) {
	return func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"encoding": s.testEncoding, "damage": s.testDamage, "bombs": s.testBombs, "secrets": s.testSecrets,
			"copies": s.testCopies, "merge": s.testMerge, "size": s.testSize,
		} {
			t.Run(name, test)
		}
	}
}

// full returns a value that some keys have changed.
func (s subject[T, P]) full(t *testing.T) P {
	p, err := s.make(nil)
	require.NoError(t, err)
	for i := range 60 {
		s.change(p, i)
	}
	return p
}

func (s subject[T, P]) testEncoding(t *testing.T) {
	p := s.full(t)
	image, err := p.MarshalBinary()
	require.NoError(t, err)

	var zero T
	require.NoError(t, P(&zero).UnmarshalBinary(image), "decoding fills a zero value")
	assert.True(t, P(&zero).Equal(p) && p.Equal(&zero))
	again, err := P(&zero).MarshalBinary()
	require.NoError(t, err)
	assert.Equal(t, image, again, "decode, then encode, is the identity")

	appended, err := p.AppendBinary([]byte("before"))
	require.NoError(t, err)
	assert.Equal(t, "before"+string(image), string(appended))

	var stream bytes.Buffer
	for range 2 {
		n, err := p.WriteTo(&stream)
		require.NoError(t, err)
		assert.EqualValues(t, len(image), n)
	}
	assert.Equal(t, append(bytes.Clone(image), image...), stream.Bytes(), "WriteTo and MarshalBinary agree")
	src := iotest.HalfReader(&stream)
	for range 2 { // images concatenate: each ReadFrom takes exactly one
		var from T
		n, err := P(&from).ReadFrom(src)
		require.NoError(t, err)
		assert.EqualValues(t, len(image), n)
		assert.True(t, P(&from).Equal(p))
	}
	n, err := P(&zero).ReadFrom(src)
	assert.Zero(t, n)
	assert.ErrorIs(t, err, io.EOF, "the end of a loop over images")
	assert.ErrorIs(t, err, codec.ErrCorrupt)

	type record struct{ Value P }
	text, err := json.Marshal(record{p})
	require.NoError(t, err)
	back := record{new(T)}
	require.NoError(t, json.Unmarshal(text, &back))
	assert.True(t, back.Value.Equal(p), "text makes JSON work")
}

// Damage anywhere is seen and leaves the receiver as it was.
func (s subject[T, P]) testDamage(t *testing.T) {
	p, receiver := s.full(t), s.full(t)
	s.change(receiver, 1000)
	before, err := receiver.MarshalBinary()
	require.NoError(t, err)
	image, err := p.MarshalBinary()
	require.NoError(t, err)

	refuse := func(what string, data []byte) {
		t.Helper()
		require.ErrorIs(t, receiver.UnmarshalBinary(data), codec.ErrCorrupt, what)
	}
	for cut := range image {
		refuse(fmt.Sprint("cut at ", cut), image[:cut])
		_, err := receiver.ReadFrom(bytes.NewReader(image[:cut]))
		require.ErrorIs(t, err, codec.ErrCorrupt)
	}
	for bit := range 8 * len(image) {
		bad := bytes.Clone(image)
		bad[bit/8] ^= 1 << (bit % 8)
		refuse(fmt.Sprint("bit ", bit), bad)
	}
	refuse("a trailing byte", append(bytes.Clone(image), 0))
	refuse("an image of another kind", codec.AppendSum(codec.AppendHeader(nil, codec.Header{Kind: 255}, 0), 0))
	require.ErrorIs(t, receiver.UnmarshalText([]byte("no base64!")), codec.ErrCorrupt)
	after, err := receiver.MarshalBinary()
	require.NoError(t, err)
	assert.Equal(t, before, after, "a failed decoding leaves the receiver as it was")
}

// Extreme values at every offset, under a checksum that is right, are refused or
// decoded, and cost no more memory than the input justifies.
func (s subject[T, P]) testBombs(t *testing.T) {
	image, err := s.full(t).MarshalBinary()
	require.NoError(t, err)
	for at := range len(image) - 8 {
		for _, extreme := range []uint64{0, 1 << 32, 1 << 40, math.MaxInt64, math.MaxUint64, math.Float64bits(math.NaN())} {
			var v [8]byte
			binary.LittleEndian.PutUint64(v[:], extreme)
			bad := bytes.Clone(image)
			copy(bad[at:len(bad)-8], v[:])
			bad = codec.AppendSum(bad[:len(bad)-8], 0)
			used := testkit.AllocatedBytes(func() {
				var p, q T
				err = errors.Join(P(&p).UnmarshalBinary(bad), second(P(&q).ReadFrom(bytes.NewReader(bad))))
			})
			require.LessOrEqual(t, used, uint64(1<<20+8*len(bad)), "offset %d, value %#x: %v", at, extreme, err)
			if err != nil {
				require.True(t, errors.Is(err, codec.ErrCorrupt) || errors.Is(err, codec.ErrIncompatible), "%v", err)
			}
		}
	}
}

func second(_ int64, err error) error { return err }

// An image made under a secret decodes under that secret only, and one made
// without only without.
func (s subject[T, P]) testSecrets(t *testing.T) {
	a, b := &distkit.Secret{0x5e, 1, 14: 0xc7, 15: 0x17}, &distkit.Secret{0x5e, 2, 14: 0xc7, 15: 0x17}
	image := map[*distkit.Secret][]byte{}
	for _, secret := range []*distkit.Secret{nil, a, b} {
		p, err := s.make(secret)
		require.NoError(t, err)
		s.change(p, 1)
		image[secret], err = p.MarshalBinary()
		require.NoError(t, err)
		assert.False(t, secret != nil && bytes.Contains(image[secret], secret[:]), "the secret is in the image")
	}
	for _, mine := range []*distkit.Secret{nil, a, b} {
		for _, its := range []*distkit.Secret{nil, a, b} {
			p, err := s.make(mine)
			require.NoError(t, err)
			err = p.UnmarshalBinary(image[its])
			_, err2 := p.ReadFrom(bytes.NewReader(image[its]))
			if mine == its {
				assert.NoError(t, err)
				assert.NoError(t, err2)
				again, err := p.MarshalBinary()
				require.NoError(t, err)
				assert.Equal(t, image[its], again, "the secret is kept")
				continue
			}
			assert.ErrorIs(t, err, codec.ErrIncompatible)
			assert.ErrorIs(t, err2, codec.ErrIncompatible)
			assert.NotErrorIs(t, err, codec.ErrCorrupt)
		}
	}
}

func (s subject[T, P]) testCopies(t *testing.T) {
	p := s.full(t)
	clone := P(p.Clone())
	assert.True(t, clone.Equal(p))
	before, err := p.MarshalBinary()
	require.NoError(t, err)
	for i := range 50 {
		s.change(clone, 1000+i)
	}
	assert.False(t, clone.Equal(p))
	after, err := p.MarshalBinary()
	require.NoError(t, err)
	assert.Equal(t, before, after, "a clone shares nothing")

	fresh, err := s.make(nil)
	require.NoError(t, err)
	p.Reset()
	assert.True(t, p.Equal(fresh), "Reset gives what New made")
	var zero T
	assert.False(t, fresh.Equal(&zero))
	assert.True(t, P(&zero).Equal(new(T)))
	assert.NotPanics(t, func() { P(&zero).Reset(); P(P(&zero).Clone()).Reset() })
}

func (s subject[T, P]) testMerge(t *testing.T) {
	if s.merge == nil {
		return
	}
	left, right, both := s.full(t), s.full(t), s.full(t)
	for i := range 50 {
		s.change(left, 1000+i)
		s.change(right, 2000+i)
		s.change(both, 1000+i)
	}
	for i := range 50 {
		s.change(both, 2000+i)
	}
	union := P(left.Clone())
	require.NoError(t, s.merge(union, right))
	reverse := P(right.Clone())
	require.NoError(t, s.merge(reverse, left))
	assert.True(t, union.Equal(reverse), "the order does not matter")

	secret, err := s.make(&distkit.Secret{1})
	require.NoError(t, err)
	before, err := left.MarshalBinary()
	require.NoError(t, err)
	assert.ErrorIs(t, s.merge(left, secret), codec.ErrIncompatible)
	after, err := left.MarshalBinary()
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func (s subject[T, P]) testSize(t *testing.T) {
	p := s.full(t)
	image, err := p.MarshalBinary()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, p.SizeBytes(), len(image)/2, "the memory held is at least the bits or counters")
	var zero T
	assert.GreaterOrEqual(t, P(&zero).SizeBytes(), 0)
}

// zeroValues holds, for every type that New makes, queries that a zero value
// answers and a change that must panic with one line that names New.
var zeroValues = map[string]struct {
	queries func(t *testing.T)
	change  func()
}{
	"bloom.Filter": {
		queries: func(t *testing.T) {
			var f bloom.Filter
			assert.False(t, f.ContainsString("a") || f.Contains(nil) || f.ContainsHash(1))
			assert.Zero(t, f.Bits())
			assert.Zero(t, f.EstimatedCount())
			assert.Zero(t, f.EstimatedFPR())
		},
		change: func() { new(bloom.Filter).AddString("a") },
	},
}

func TestZeroValuesAreLikeNilMaps(t *testing.T) {
	for name, z := range zeroValues {
		t.Run(name, func(t *testing.T) {
			z.queries(t)
			defer func() {
				said := fmt.Sprint(recover())
				pkg, _, _ := strings.Cut(name, ".")
				assert.Contains(t, said, "New")
				assert.True(t, strings.HasPrefix(said, pkg+": "), said)
				assert.NotContains(t, said, "\n")
			}()
			z.change()
		})
	}
}
