package distkit_test

import (
	"bytes"
	"context"
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
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/gossip"
	"github.com/distkit/distkit/quorum/hints"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ring"
	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/hlc"
	"github.com/distkit/distkit/vclock/shiviz"
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
	"bloom.Scalable": conform(subject[bloom.Scalable, *bloom.Scalable]{
		make: func(s *distkit.Secret) (*bloom.Scalable, error) {
			return made(s, bloom.WithSecret, func(o ...bloom.Option) (*bloom.Scalable, error) { return bloom.NewScalable(20, 0.01, o...) })
		},
		change: func(f *bloom.Scalable, i int) { f.AddString(fmt.Sprint("key", i)) },
	}),
	"bloom.Rotating": conform(subject[bloom.Rotating, *bloom.Rotating]{
		make: func(s *distkit.Secret) (*bloom.Rotating, error) {
			return made(s, bloom.WithSecret, func(o ...bloom.Option) (*bloom.Rotating, error) { return bloom.NewRotating(100, 0.01, o...) })
		},
		change: func(f *bloom.Rotating, i int) { f.AddString(fmt.Sprint("key", i)) },
	}),
	"cms.Sketch": conform(subject[cms.Sketch, *cms.Sketch]{
		make: func(s *distkit.Secret) (*cms.Sketch, error) {
			return made(s, cms.WithSecret, func(o ...cms.Option) (*cms.Sketch, error) { return cms.NewSize(32, 4, o...) })
		},
		change: func(c *cms.Sketch, i int) { c.AddString(fmt.Sprint("key", i)) },
		merge:  (*cms.Sketch).Merge,
	}),
	"cms.TopK": conform(subject[cms.TopK, *cms.TopK]{
		make: func(s *distkit.Secret) (*cms.TopK, error) {
			return made(s, cms.WithSecret, func(o ...cms.Option) (*cms.TopK, error) { return cms.NewTopK(8, append(o, cms.WithCounters(64))...) })
		},
		change: func(c *cms.TopK, i int) { c.AddString(fmt.Sprint("key", i)) },
		merge:  (*cms.TopK).Merge,
	}),
	"cms.Trending": conform(subject[cms.Trending, *cms.Trending]{
		make: func(s *distkit.Secret) (*cms.Trending, error) {
			return made(s, cms.WithSecret, func(o ...cms.Option) (*cms.Trending, error) {
				return cms.NewTrending(8, time.Hour, append(o, cms.WithCounters(64))...)
			})
		},
		change: func(c *cms.Trending, i int) { c.AddStringAt(time.Unix(int64(i%60)*7, 0), fmt.Sprint("key", i)) },
		merge:  (*cms.Trending).Merge,
	}),
	"cms.Window": conform(subject[cms.Window, *cms.Window]{
		make: func(s *distkit.Secret) (*cms.Window, error) {
			return made(s, cms.WithSecret, func(o ...cms.Option) (*cms.Window, error) { return cms.NewWindow(0.1, 0.05, time.Hour, o...) })
		},
		change: func(c *cms.Window, i int) { c.AddStringAt(time.Unix(int64(i%60)*70, 0), fmt.Sprint("key", i)) },
		merge:  (*cms.Window).Merge,
	}),
	"hll.Sketch": conform(subject[hll.Sketch, *hll.Sketch]{
		make: func(s *distkit.Secret) (*hll.Sketch, error) {
			return made(s, hll.WithSecret, func(o ...hll.Option) (*hll.Sketch, error) { return hll.New(8, o...) })
		},
		change: func(h *hll.Sketch, i int) { h.AddString(fmt.Sprint("key", i)) },
		merge:  (*hll.Sketch).Merge,
	}),
	"hll.Redis": func(t *testing.T) { // a foreign format: no checksum, no secret, and a zero value that is ready
		s := subject[hll.Redis, *hll.Redis]{
			make:   func(*distkit.Secret) (*hll.Redis, error) { return hll.NewRedis(), nil },
			change: func(h *hll.Redis, i int) { h.AddString(fmt.Sprint("key", i)) },
		}
		t.Run("encoding", s.testEncoding)
		t.Run("size", s.testSize)
	},
	"hll.Window": conform(subject[hll.Window, *hll.Window]{
		make: func(s *distkit.Secret) (*hll.Window, error) {
			return made(s, hll.WithSecret, func(o ...hll.Option) (*hll.Window, error) { return hll.NewWindow(5, time.Hour, o...) })
		},
		change: func(h *hll.Window, i int) {
			h.AddStringAt(time.Unix(1e9, 0).Add(time.Duration(i)*time.Minute), fmt.Sprint("key", i))
		},
		merge: (*hll.Window).Merge,
	}),
	"hll.ExaLogLog": conform(subject[hll.ExaLogLog, *hll.ExaLogLog]{
		make: func(s *distkit.Secret) (*hll.ExaLogLog, error) {
			return made(s, hll.WithSecret, func(o ...hll.Option) (*hll.ExaLogLog, error) { return hll.NewExaLogLog(5, o...) })
		},
		change: func(h *hll.ExaLogLog, i int) { h.AddString(fmt.Sprint("key", i)) },
		merge:  (*hll.ExaLogLog).Merge,
	}),
	"merkle.Tree": conform(subject[merkle.Tree, *merkle.Tree]{
		make: func(s *distkit.Secret) (*merkle.Tree, error) {
			return made(s, merkle.WithSecret, merkle.NewTree)
		},
		change: func(x *merkle.Tree, i int) { x.PutString(fmt.Sprint("key", i), []byte("v")) },
		merge:  (*merkle.Tree).Merge,
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
			"copies": s.testCopies, "merge": s.testMerge, "size": s.testSize, "zero": s.testZero,
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

// A zero value has no parameters, so there is nothing to store, whichever way.
func (s subject[T, P]) testZero(t *testing.T) {
	var zero T
	var stream bytes.Buffer
	_, err := P(&zero).MarshalBinary()
	_, err2 := P(&zero).MarshalText()
	kept, err3 := P(&zero).AppendBinary([]byte("before"))
	n, err4 := P(&zero).WriteTo(&stream)
	for _, err := range []error{err, err2, err3, err4} {
		assert.ErrorContains(t, err, "make one with New")
	}
	assert.Equal(t, "before", string(kept))
	assert.Zero(t, n+int64(stream.Len()))
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
	"bloom.Classic": {
		queries: func(t *testing.T) {
			var f bloom.Classic
			assert.False(t, f.ContainsString("a"))
			assert.Zero(t, f.K())
			assert.Zero(t, f.Bits())
			assert.Zero(t, f.EstimatedCount())
		},
		change: func() { new(bloom.Classic).AddString("a") },
	},
	"bloom.Counting": {
		queries: func(t *testing.T) {
			var f bloom.Counting
			assert.False(t, f.ContainsString("a") || f.RemoveString("a"))
			assert.Zero(t, f.CountString("a"))
		},
		change: func() { new(bloom.Counting).AddString("a") },
	},
	"bloom.Concurrent": {
		queries: func(t *testing.T) {
			var f bloom.Concurrent
			assert.False(t, f.ContainsString("a"))
			assert.Zero(t, f.Bits())
			assert.Zero(t, f.Snapshot().EstimatedCount())
		},
		change: func() { new(bloom.Concurrent).AddString("a") },
	},
	"bloom.Scalable": {
		queries: func(t *testing.T) {
			var f bloom.Scalable
			assert.False(t, f.ContainsString("a"))
			assert.Zero(t, f.Layers())
		},
		change: func() { new(bloom.Scalable).AddString("a") },
	},
	"bloom.Rotating": {
		queries: func(t *testing.T) {
			var f bloom.Rotating
			assert.False(t, f.ContainsString("a") || f.ContainsAt(time.Unix(1, 0), []byte("a")))
		},
		change: func() { new(bloom.Rotating).AddString("a") },
	},
	"bloom.Static": {
		queries: func(t *testing.T) {
			var f bloom.Static
			assert.False(t, f.ContainsString("a"))
			assert.Zero(t, f.Bits())
		},
	},
	"cms.Sketch": {
		queries: func(t *testing.T) {
			var c cms.Sketch
			assert.Zero(t, c.CountString("a")+c.Total()+c.ErrorBound())
		},
		change: func() { new(cms.Sketch).AddString("a") },
	},
	"cms.TopK": {
		queries: func(t *testing.T) {
			var c cms.TopK
			assert.Zero(t, c.CountString("a")+c.Total())
			for range c.Items() {
				t.Error("an item")
			}
		},
		change: func() { new(cms.TopK).AddString("a") },
	},
	"cms.Trending": {
		queries: func(t *testing.T) {
			var c cms.Trending
			assert.Zero(t, c.ScoreString("a")+c.TotalAt(time.Unix(1, 0)))
			for range c.Items() {
				t.Error("an item")
			}
		},
		change: func() { new(cms.Trending).AddString("a") },
	},
	"cms.Window": {
		queries: func(t *testing.T) {
			var c cms.Window
			assert.Zero(t, c.CountString("a")+c.TotalAt(time.Unix(1, 0))+c.ErrorBound())
		},
		change: func() { new(cms.Window).AddString("a") },
	},
	"hll.Sketch": {
		queries: func(t *testing.T) {
			var h hll.Sketch
			assert.Zero(t, h.Estimate())
		},
		change: func() { new(hll.Sketch).AddString("a") },
	},
	"hll.Window": {
		queries: func(t *testing.T) {
			var h hll.Window
			assert.Zero(t, h.Estimate()+h.EstimateAt(time.Unix(1, 0))+h.Snapshot().Estimate())
		},
		change: func() { new(hll.Window).AddString("a") },
	},
	"hll.Concurrent": {
		queries: func(t *testing.T) {
			var h hll.Concurrent
			assert.Zero(t, h.Estimate()+h.Snapshot().Estimate())
			assert.Zero(t, h.SizeBytes())
		},
		change: func() { new(hll.Concurrent).AddString("a") },
	},
	"hll.ExaLogLog": {
		queries: func(t *testing.T) {
			var h hll.ExaLogLog
			assert.Zero(t, h.Estimate())
		},
		change: func() { new(hll.ExaLogLog).AddString("a") },
	},
	"merkle.Tree": {
		queries: func(t *testing.T) {
			var x merkle.Tree
			_, ok := x.Get(1)
			assert.False(t, ok || x.DeleteString("a"))
			assert.Zero(t, x.Len())
			assert.Zero(t, x.Summary(merkle.Range{}))
			for range x.Entries(merkle.Range{}) {
				t.Error("an entry")
			}
			_, err := x.Initiate()
			assert.ErrorContains(t, err, "NewTree")
		},
		change: func() { new(merkle.Tree).PutString("a", nil) },
	},
	"blob.Blob": {
		queries: func(t *testing.T) {
			var b blob.Blob
			assert.Zero(t, b.Sum())
			_, err := b.Proof(0, 1)
			assert.ErrorIs(t, err, merkle.ErrRange)
			_, err = b.ProofFor(0, nil)
			assert.ErrorIs(t, err, merkle.ErrRange)
		},
		change: func() { _, _ = new(blob.Blob).Write(nil) },
	},
	"blob.Verifier": {
		queries: func(t *testing.T) {
			var v blob.Verifier
			assert.False(t, v.Done() || v.Have(0) || v.Known(0, 0))
			for range v.Missing() {
				t.Error("a run of chunks")
			}
		},
		change: func() { _ = new(blob.Verifier).Verify(0, nil, nil) },
	},
	"ring.Ring": {
		queries: func(t *testing.T) {
			var r ring.Ring
			_, ok := r.OwnerString("a")
			assert.False(t, ok)
			assert.Equal(t, -1, r.Locate(1))
			assert.Zero(t, r.Len())
			assert.Empty(t, r.AppendOwnersString(nil, "a", 3))
			assert.Zero(t, r.Share("a", 1))
		},
		change: func() { _, _ = new(ring.Ring).Add(ring.Node{ID: "a"}) },
	},
	"ring.Table": {
		queries: func(t *testing.T) {
			var r ring.Table
			_, ok := r.OwnerString("a")
			assert.False(t, ok)
			assert.Equal(t, -1, r.Locate(1))
			assert.Zero(t, r.Len()+r.Partitions()+r.Replicas()+r.Partition(1<<63))
			assert.Zero(t, r.Version())
			assert.Empty(t, r.AppendReplicas(nil, 0))
			assert.Empty(t, r.AppendOwnersString(nil, "a", 3))
		},
		change: func() { _, _ = new(ring.Table).Rebalance(nil) },
	},
	"lru.Cache": {
		queries: func(t *testing.T) {
			var c lru.Cache[string, int]
			_, ok := c.Get("a")
			assert.False(t, ok || c.Contains("a"))
			_, ok = c.Delete("a")
			assert.False(t, ok)
			assert.Zero(t, c.Len()+c.Cap())
			assert.Zero(t, c.Weight())
			for range c.All() {
				t.Error("an entry")
			}
			c.Clear()
		},
		change: func() { new(lru.Cache[string, int]).Set("a", 1) },
	},
	"lru.Concurrent": {
		queries: func(t *testing.T) {
			var c lru.Concurrent[string, int]
			_, ok := c.Get("a")
			assert.False(t, ok || c.Contains("a"))
			_, ok = c.Delete("a")
			assert.False(t, ok)
			assert.Zero(t, c.Len()+c.Cap()+c.Snapshot().Len())
			assert.Zero(t, c.Weight())
			for range c.All() {
				t.Error("an entry")
			}
			c.Clear()
			assert.NoError(t, c.Close())
		},
		change: func() { new(lru.Concurrent[string, int]).Set("a", 1) },
	},
	"lru.Backed": {
		queries: func(t *testing.T) {
			var c lru.Backed[string, int]
			_, ok := c.Peek("a")
			assert.False(t, ok || c.Invalidate("a"))
			assert.Zero(t, c.Len())
			assert.Zero(t, c.Stats())
			assert.NoError(t, c.Close(context.Background()))
		},
		change: func() { _ = new(lru.Backed[string, int]).Set(context.Background(), "a", 1) },
	},
	"quorum.Coordinator": {
		queries: func(t *testing.T) {
			var c quorum.Coordinator
			assert.False(t, c.Strict())
			assert.Zero(t, c.Stats().Reads)
			assert.NoError(t, c.Close(t.Context()))
		},
		change: func() { _, _ = quorum.Write(context.Background(), new(quorum.Coordinator), nil, quorum.WriteOp{}) },
	},
	"gossip.Table": {
		queries: func(t *testing.T) {
			var g gossip.Table
			assert.Zero(t, g.State("a").Status)
			assert.Zero(t, g.Stats())
			for range g.Members() {
				t.Error("a member")
			}
		},
		change: func() { _ = new(gossip.Table).Join("a", 1, "") },
	},
	"hints.Memory": {
		queries: func(t *testing.T) {
			var h hints.Memory
			assert.Empty(t, h.Owners())
			assert.NoError(t, h.Done("a", 1))
			assert.NoError(t, h.Close())
		},
		change: func() { _ = new(hints.Memory).Put(hints.Hint{Owner: "a"}) },
	},
	"hlc.Clock": {
		queries: func(t *testing.T) {
			var c hlc.Clock
			assert.Zero(t, c.Last())
		},
		change: func() { new(hlc.Clock).Now() },
	},
	"ratelimit.Limiter": {
		queries: func(t *testing.T) {
			var l ratelimit.Limiter
			assert.Zero(t, l.Peek())
			assert.Zero(t, l.Limit())
		},
		change: func() { new(ratelimit.Limiter).Allow() },
	},
	"ratelimit.Keyed": {
		queries: func(t *testing.T) {
			var k ratelimit.Keyed
			assert.Zero(t, k.Len())
			assert.Zero(t, k.Stats())
			assert.Empty(t, k.Limits())
			assert.Zero(t, k.KeyString("a").Peek())
		},
		change: func() { new(ratelimit.Keyed).AllowString("a") },
	},
	"ratelimit.Multi": {
		queries: func(t *testing.T) {
			var m ratelimit.Multi
			assert.Zero(t, m.Peek())
			assert.Empty(t, m.Limits())
		},
		change: func() { new(ratelimit.Multi).Allow() },
	},
	"ratelimit.SlidingLog": {
		queries: func(t *testing.T) {
			var l ratelimit.SlidingLog
			assert.Zero(t, l.Peek())
			assert.Zero(t, l.Limit())
		},
		change: func() { new(ratelimit.SlidingLog).Allow() },
	},
	"ratelimit.Tiered": {
		queries: func(t *testing.T) {
			var l ratelimit.Tiered
			assert.Zero(t, l.Peek())
		},
		change: func() { new(ratelimit.Tiered).Allow() },
	},
	"ratelimit.Queue": {
		queries: func(t *testing.T) {
			var q ratelimit.Queue
			assert.Zero(t, q.Len())
		},
		change: func() { _ = new(ratelimit.Queue).Wait(context.Background()) },
	},
	"shiviz.Process": {
		queries: func(t *testing.T) {
			var p shiviz.Process
			assert.Zero(t, p.Clock())
			assert.Zero(t, p.ID())
		},
		change: func() { new(shiviz.Process).Local() },
	},
	"vclock.Causal": {
		queries: func(t *testing.T) {
			var c vclock.Causal[int]
			assert.Zero(t, c.Len())
			assert.Zero(t, c.Clock())
		},
		change: func() { new(vclock.Causal[int]).Send() },
	},
}

func TestZeroValuesAreLikeNilMaps(t *testing.T) {
	for name, z := range zeroValues {
		t.Run(name, func(t *testing.T) {
			z.queries(t)
			if z.change == nil { // immutable
				return
			}
			defer func() {
				said := fmt.Sprint(recover())
				pkg, _, _ := strings.Cut(name, ".")
				assert.Regexp(t, "New|Open", said)
				assert.True(t, strings.HasPrefix(said, pkg+": "), said)
				assert.NotContains(t, said, "\n")
			}()
			z.change()
		})
	}
}
