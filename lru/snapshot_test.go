package lru_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/netip"
	"os"
	"slices"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func imageOf(t testing.TB, c io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := c.WriteTo(&b)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	return b.Bytes()
}

func restored[K comparable, V any](t testing.TB, image []byte, c *lru.Cache[K, V]) *lru.Cache[K, V] {
	t.Helper()
	n, err := c.ReadFrom(iotest.HalfReader(bytes.NewReader(append(bytes.Clone(image), "more"...))))
	require.NoError(t, err)
	require.EqualValues(t, len(image), n, "one image and no more")
	require.NoError(t, lru.Check(c))
	return c
}

// A restored cache has the entries in their order, writes the same image, and
// decides as the one that wrote it.
func TestImagesRestoreCaches(t *testing.T) {
	const capacity = 60
	weigh := lru.WithWeigher(func(_, v uint64) uint32 { return uint32(v % 4) }) // some are pinned
	for _, p := range policies {
		for name, opts := range map[string][]lru.Option{"plain": nil, "weighted": {weigh}} {
			t.Run(p.String()+"/"+name, func(t *testing.T) {
				opts = append(opts, lru.WithPolicy(p))
				c := must(lru.New[uint64, uint64](capacity, opts...))
				lru.Fix(c, randomSeed)
				keys := requests(4000, capacity)
				for i, k := range keys[:2000] {
					c.GetOrSet(k, uint64(i))
				}
				image := imageOf(t, c)
				d := restored(t, image, must(lru.New[uint64, uint64](capacity, opts...)))
				if p != lru.Adaptive { // whose counts share counters, and not the same ones
					assert.Equal(t, image, imageOf(t, d), "read, then written, is the same")
				}
				assert.Equal(t, keysOf(c.All()), keysOf(d.All()))
				assert.Equal(t, keysOf(c.Backward()), keysOf(d.Backward()))
				assert.Equal(t, c.Weight(), d.Weight())
				if p == lru.Random || p == lru.S3FIFO || p == lru.Adaptive {
					// What is drawn and what has left are not in the image.
					return
				}
				for i, k := range keys[2000:] {
					want, wantOK := c.Get(k)
					got, ok := d.Get(k)
					require.Equal(t, wantOK, ok, "request %d", i)
					require.Equal(t, want, got)
					if !ok {
						c.Set(k, uint64(i))
						d.Set(k, uint64(i))
					}
				}
				check(t, d)
			})
		}
	}
}

func TestImagesKeepLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, opts := range [][]lru.Option{nil, {lru.WithSliding()}} {
			c := must(lru.New[string, int](10, opts...))
			c.Set("never", 1)
			c.SetWithTTL("hour", 2, time.Hour)
			c.SetWithTTL("minute", 3, time.Minute)
			c.SetWithTTL("gone", 4, time.Second)
			time.Sleep(30 * time.Second)
			image := imageOf(t, c)
			time.Sleep(24 * time.Hour) // the image lies about

			d := restored(t, image, must(lru.New[string, int](10, append(opts, lru.WithTTL(5*time.Hour))...)))
			assert.Equal(t, []string{"never", "hour", "minute"}, keysOf(d.All()))
			for k, want := range map[string]time.Duration{"never": math.MaxInt64, "hour": time.Hour - 30*time.Second, "minute": 30 * time.Second} {
				got, ok := d.TTL(k)
				assert.True(t, ok)
				assert.Equal(t, want, got, k)
			}
			assert.Equal(t, image, imageOf(t, d))
			_, ok := d.Get("minute")
			assert.True(t, ok)
			if opts != nil {
				left, _ := d.TTL("minute")
				assert.Equal(t, time.Minute, left, "a hit restarts the whole of it")
			}
			time.Sleep(time.Minute)
			assert.Equal(t, 1, d.DeleteExpired())
			check(t, d)
		}

		// Also where most is too much and the rest is packed anew.
		long := must(lru.New[int, int](1000))
		long.SetWithTTL(0, 0, time.Hour)
		for i := range 1000 {
			long.SetWithTTL(i, i, time.Duration(i%2)*time.Hour)
		}
		for _, opts := range [][]lru.Option{{lru.WithTTL(time.Minute)}, {lru.WithTTL(time.Minute), lru.WithSliding()}} {
			short := restored(t, imageOf(t, long), must(lru.New[int, int](10, opts...)))
			left, ok := short.TTL(999)
			assert.True(t, ok && left == time.Hour)
			left, ok = short.TTL(998)
			assert.True(t, ok && left == math.MaxInt64)
			check(t, short)
		}

		plain := digits()
		image := imageOf(t, plain)
		d := restored(t, image, must(lru.New[int, int](10, lru.WithExpiry(func(k, _ int) time.Duration { return time.Duration(k-3) * time.Hour }))))
		assert.Equal(t, []int{3, 4, 5, 6, 7, 8, 9}, keysOf(d.All()), "lifetimes begin where the image has none")
		left, ok := d.TTL(5)
		assert.True(t, ok && left == 2*time.Hour)
		check(t, d)
	})
}

// Capacity and policy stay those of the receiver.
func TestImagesOfOtherCaches(t *testing.T) {
	c := must(lru.New[int, int](100, lru.WithPolicy(lru.LFU)))
	for k := range 100 {
		c.Set(k, k)
		for range k % 7 {
			c.Get(k)
		}
	}
	image := imageOf(t, c)
	smaller := restored(t, image, must(lru.New[int, int](14, lru.WithPolicy(lru.LFU))))
	assert.Equal(t, keysOf(c.All())[86:], keysOf(smaller.All()), "keeps what it would evict last")
	assert.Equal(t, 14, smaller.Cap())
	used := liveBytesEach(func() any { return restored(t, image, must(lru.New[int, int](14, lru.WithPolicy(lru.LFU)))) })
	assert.Less(t, used, uint64(3<<10), "memory is that of a small cache")

	other := restored(t, image, must(lru.New[int, int](14, lru.WithPolicy(lru.LRU))))
	assert.Equal(t, keysOf(c.All())[86:], keysOf(other.All()), "enter in their order")
	oldest := restored(t, image, must(lru.New[int, int](14, lru.WithPolicy(lru.LIFO))))
	assert.Equal(t, keysOf(c.All())[:14], keysOf(oldest.All()))
	for _, p := range policies {
		d := restored(t, image, must(lru.New[int, int](1000, lru.WithPolicy(p), lru.WithTTL(time.Hour))))
		assert.Equal(t, 100, d.Len())
		restored(t, imageOf(t, d), must(lru.New[int, int](5, lru.WithPolicy(lru.S3FIFO))))
	}

	var zero lru.Cache[int, int]
	restored(t, image, &zero)
	assert.Equal(t, image, imageOf(t, &zero), "a zero Cache takes capacity and policy")
	assert.True(t, zero.Set(1000, 1))
	assert.Equal(t, 100, zero.Len())
	check(t, &zero)

	weighted := must(lru.New[int, int](100, lru.WithWeigher(func(int, int) uint32 { return 10 })))
	weighted.Set(1, 1)
	var none lru.Cache[int, int]
	_, err := none.ReadFrom(bytes.NewReader(imageOf(t, weighted)))
	assert.ErrorIs(t, err, lru.ErrIncompatible)
	assert.Zero(t, none.Cap())
	assert.Equal(t, uint64(100), restored(t, image, weighted).Weight())
	assert.Equal(t, 10, weighted.Len(), "its own weigher counts")
	restored(t, imageOf(t, weighted), digits())
}

func TestReadFromReplaces(t *testing.T) {
	var log []string
	c := must(lru.New[int, int](3, lru.WithStats(), lru.WithOnEvict(func(k, _ int, why lru.Reason) { log = append(log, fmt.Sprint(k, why)) })))
	c.Set(50, 1)
	c.Set(51, 1)
	c.Get(50)
	stats := c.Stats()
	for range c.All() {
		restored2(t, imageOf(t, digits()), c) // the loop ends
	}
	assert.Equal(t, []string{"51 cleared", "50 cleared"}, log)
	assert.Equal(t, []int{7, 8, 9}, keysOf(c.All()))
	assert.Equal(t, stats, c.Stats())
	check(t, c)
}

// restored2 is restored within a loop, which Check would call a left one.
func restored2(t *testing.T, image []byte, c *lru.Cache[int, int]) {
	_, err := c.ReadFrom(bytes.NewReader(image))
	require.NoError(t, err)
}

type level uint8

// Each type of a cache costs the compiler a second, so most types are tried on
// what encodes them.
func TestImagesOfAllTypes(t *testing.T) {
	codes := []byte{
		roundTrip(t, "a", "bc", ""),
		roundTrip(t, 1, -1, math.MinInt),
		roundTrip[int8](t, 1, -1, math.MinInt8),
		roundTrip[int32](t, 1, -1, math.MinInt32),
		roundTrip[uint64](t, 1, math.MaxUint64),
		roundTrip[uint16](t, 1, math.MaxUint16),
		roundTrip[level](t, 1, 255),
		roundTrip(t, 1.5, math.Inf(-1)),
		roundTrip[float32](t, 1.5, math.MaxFloat32),
		roundTrip(t, true, false),
		roundTrip(t, []byte("x"), []byte{}),
		roundTrip(t, time.Unix(1, 2).UTC(), time.Unix(3, 4).UTC()),
	}
	slices.Sort(codes)
	assert.Len(t, slices.Compact(slices.Clone(codes)), len(codes), "an image tells its types apart")
	for _, code := range []byte{
		roundTrip[int64](t, 1, -1, math.MinInt64),
		roundTrip[uintptr](t, 1, math.MaxUint32),
		roundTrip(t, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::1")),
		roundTrip(t, &point3{1, 2, 3}),
	} {
		assert.Contains(t, codes, code, "and not those of one size and kind, on any machine")
	}
	values(t, "a", "bc", "")
	values(t, point3{4, 5, 6})
}

// point3 has methods of its pointer only.
type point3 struct{ x, y, z byte }

func (p *point3) MarshalBinary() ([]byte, error) { return []byte{p.x, p.y, p.z}, nil }
func (p *point3) UnmarshalBinary(b []byte) error {
	if len(b) != 3 {
		return errors.New("not three coordinates")
	}
	p.x, p.y, p.z = b[0], b[1], b[2]
	return nil
}

// roundTrip encodes and decodes values, and returns the code of their type.
func roundTrip[T any](t *testing.T, vs ...T) (code byte) {
	t.Helper()
	for _, v := range vs {
		got, c, err := lru.RoundTrip(v)
		require.NoError(t, err)
		assert.Equal(t, v, got)
		code = c
	}
	return code
}

func values[V any](t *testing.T, vs ...V) {
	t.Helper()
	c := must(lru.New[int, V](10))
	for i, v := range vs {
		c.Set(i, v)
	}
	sameAfter(t, c)
}

func sameAfter[K comparable, V any](t *testing.T, c *lru.Cache[K, V]) {
	t.Helper()
	var d lru.Cache[K, V]
	image := imageOf(t, c)
	restored(t, image, &d)
	assert.Equal(t, keysOf(c.All()), keysOf(d.All()))
	for k, v := range c.All() {
		got, _ := d.Peek(k)
		assert.Equal(t, v, got)
	}
	assert.Equal(t, image, imageOf(t, &d))
}

func TestTypesWithoutImages(t *testing.T) {
	type pair [2]int
	var out bytes.Buffer
	_, err := must(lru.New[pair, int](1)).WriteTo(&out)
	assert.EqualError(t, err, "lru: type of keys is lru_test.pair, want a number, bool, string, []byte or a type with MarshalBinary and UnmarshalBinary")
	_, _, err = lru.RoundTrip[any](nil)
	assert.ErrorContains(t, err, "lru: type of values is interface {}, want")
	_, _, err = lru.RoundTrip(big.NewInt(1))
	assert.ErrorContains(t, err, "lru: type of values is *big.Int, want")
	_, err = new(lru.Cache[int, int]).WriteTo(&out)
	assert.EqualError(t, err, "lru: zero Cache has nothing to encode, make one with New")
	_, _, err = lru.RoundTrip[*point3](nil)
	assert.EqualError(t, err, "lru: cannot encode a nil *lru_test.point3")
	assert.Zero(t, out.Len(), "an error before the first byte")

	_, err = must(lru.New[pair, int](1)).ReadFrom(bytes.NewReader(imageOf(t, digits())))
	assert.ErrorContains(t, err, "lru: type of keys is lru_test.pair, want")
	for _, c := range []io.ReaderFrom{must(lru.New[string, int](1)), must(lru.New[int, string](1))} {
		_, err := c.ReadFrom(bytes.NewReader(imageOf(t, digits())))
		assert.ErrorIs(t, err, lru.ErrIncompatible)
	}
	_, err = must(lru.New[string, int](1)).ReadFrom(bytes.NewReader(imageOf(t, digits())))
	assert.EqualError(t, err, "lru: incompatible: image is of int64 to int64, cache of string to int64")
}

func TestWriteToReportsTheWriter(t *testing.T) {
	c := must(lru.New[int, []byte](100))
	for i := range 100 {
		c.Set(i, make([]byte, 1000))
	}
	for _, room := range []int{0, 10, 60, 50_000} {
		n, err := c.WriteTo(&narrow{room: room})
		assert.ErrorIs(t, err, io.ErrShortWrite, room)
		assert.LessOrEqual(t, n, int64(room))
	}
	_, err := c.ReadFrom(iotest.ErrReader(os.ErrPermission))
	assert.ErrorIs(t, err, os.ErrPermission)
	assert.Equal(t, 100, c.Len())
}

type narrow struct{ room int }

func (w *narrow) Write(b []byte) (int, error) {
	n := min(len(b), w.room)
	w.room -= n
	if n < len(b) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// goldens are caches whose images are files.
func goldens(t testing.TB) map[string]*lru.Cache[string, uint32] {
	m := map[string]*lru.Cache[string, uint32]{"empty": must(lru.New[string, uint32](7))}
	for _, p := range policies {
		c := must(lru.New[string, uint32](5, lru.WithPolicy(p)))
		lru.Fix(c, randomSeed)
		for _, k := range []string{"a", "b", "a", "c", "b", "b", "d", "e", "e", "f", "a", "g", "", "g"} {
			c.GetOrSet(k, uint32(len(k)))
		}
		m[p.String()] = c
	}
	w := must(lru.New[string, uint32](50, lru.WithPolicy(lru.SIEVE), lru.WithSliding(), lru.WithWeigher(func(_ string, v uint32) uint32 { return v })))

	for i, k := range []string{"pinned", "one", "two", "three"} {
		w.Set(k, uint32(i))
	}
	w.Get("two")
	m["weighted"] = w
	return m
}

func TestGoldenImages(t *testing.T) {
	for name, c := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			image := imageOf(t, c)
			testkit.Golden(t, "testdata/v0/"+name+".bin", image)
			d := must(lru.New[string, uint32](max(5, c.Cap())))
			if name != "weighted" {
				d = new(lru.Cache[string, uint32])
			}
			restored(t, image, d)
			assert.Equal(t, keysOf(c.All()), keysOf(d.All()))
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.New[string, uint32](5, lru.WithTTL(time.Hour), lru.WithSliding()))
		c.Set("a", 1)
		time.Sleep(time.Minute)
		c.SetWithTTL("b", 2, time.Second)
		testkit.Golden(t, "testdata/v0/lifetimes.bin", imageOf(t, c))
	})
}
