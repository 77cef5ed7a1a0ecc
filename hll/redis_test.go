package hll_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// redisGolden are strings of redis-server, and what it answered for their counts;
// testdata/redis/README names the origin.
var redisGolden = map[int]uint64{0: 0, 1: 1, 10: 10, 300: 299, 1000: 994, 100_000: 100_917}

func redisString(t testing.TB, n int) []byte {
	text, err := os.ReadFile(fmt.Sprintf("testdata/redis/redis-%d.b64", n))
	require.NoError(t, err)
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	return data
}

func elements(n int) *hll.Redis {
	r := hll.NewRedis()
	for i := range n {
		r.AddString(fmt.Sprint("element-", i))
	}
	return r
}

// What redis-server kept is read, counted as it counted, and made by Add alike.
func TestRedisStringsOfRedis(t *testing.T) {
	for n, count := range redisGolden {
		data := redisString(t, n)
		var r hll.Redis
		require.NoError(t, r.UnmarshalBinary(data))
		require.Equal(t, count, r.Estimate(), "%d elements", n)
		require.Equal(t, r.Registers(), elements(n).Registers())
		require.True(t, r.Equal(elements(n)))

		// The string that is written is that of Redis but for the cached count, which
		// is marked as stale.
		written := must(r.MarshalBinary())
		require.Equal(t, data[:8], written[:8])
		require.Equal(t, uint64(1)<<63, binary.LittleEndian.Uint64(written[8:]))
		require.Equal(t, data[16:], written[16:], "%d elements", n)
	}
}

func TestRedisMergesAsRedis(t *testing.T) {
	r := elements(1000)
	require.NoError(t, r.Merge(elements(300)))
	require.Equal(t, uint64(994), r.Estimate())
	require.True(t, r.Equal(elements(1000)))
}

func TestMurmur64A(t *testing.T) {
	require.Equal(t, uint64(0x099b665a5381d041), hll.Murmur64A("element-0", 0xadc83b19)) // as Redis hashes it
	for n := range 40 {
		key := bytes.Repeat([]byte{0xf1, 3}, n)[:n]
		want := slowMurmur(key, 7)
		require.Equal(t, want, hll.Murmur64A(string(key), 7))
	}
}

// slowMurmur is MurmurHash64A as its author words it: whole words first, then the
// rest byte by byte from the last.
func slowMurmur(key []byte, seed uint64) uint64 {
	const m = 0xc6a4a7935bd1e995
	h := seed ^ uint64(len(key))*m
	for i := range len(key) / 8 {
		k := binary.LittleEndian.Uint64(key[8*i:]) * m
		k ^= k >> 47
		k *= m
		h ^= k
		h *= m
	}
	tail := key[len(key)/8*8:]
	for i := len(tail) - 1; i >= 0; i-- {
		h ^= uint64(tail[i]) << (8 * i)
	}
	if len(tail) > 0 {
		h *= m
	}
	h ^= h >> 47
	h *= m
	return h ^ h>>47
}

// redisTwin is the registers of Redis from its description: the index is the low
// 14 bits of the hash; of what is above, with a bit that ends it, the place of the
// lowest one counts from 1.
type redisTwin [1 << 14]uint8

func (w *redisTwin) add(key string) {
	h := slowMurmur([]byte(key), 0xadc83b19)
	place := uint8(1)
	for place <= 50 && h>>(13+place)&1 == 0 {
		place++
	}
	w[h%(1<<14)] = max(w[h%(1<<14)], place)
}

func TestRedisIsItsTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	r, bytewise, w := hll.NewRedis(), hll.NewRedis(), new(redisTwin)
	for i := range 60_000 {
		key := fmt.Sprint(rng.IntN(50_000))
		var before *hll.Redis
		if i%1000 == 0 {
			before = r.Clone()
		}
		changed := r.AddString(key)
		require.Equal(t, changed, bytewise.Add([]byte(key)))
		if before != nil {
			require.Equal(t, changed, !before.Equal(r))
			require.NoError(t, before.Merge(r))
			require.True(t, before.Equal(r))
			checkRedis(t, r)
		}
		w.add(key)
		require.False(t, r.AddString(key))
	}
	require.Equal(t, w[:], r.Registers())
	require.True(t, r.Equal(bytewise))
	n := r.Estimate()
	require.InEpsilon(t, slowEstimate(w[:], 14), n, 1e-4)
	lower, upper := r.Bounds(3)
	require.True(t, lower < n && n < upper)
}

func checkRedis(t *testing.T, r *hll.Redis) {
	t.Helper()
	image := must(r.MarshalBinary())
	var d hll.Redis
	require.NoError(t, d.UnmarshalBinary(image))
	require.True(t, d.Equal(r))
	require.Equal(t, r.Estimate(), d.Estimate())
	require.Equal(t, image, must(d.MarshalBinary()))
	require.Equal(t, r.IsEmpty(), r.Estimate() == 0)
}

func TestZeroRedisIsReady(t *testing.T) {
	var r hll.Redis
	require.Zero(t, r.Estimate())
	require.True(t, r.IsEmpty() && r.Equal(hll.NewRedis()) && r.Equal(r.Clone()) && !r.Equal(nil))
	require.Zero(t, r.SizeBytes())
	require.NoError(t, r.Merge(hll.NewRedis()))
	require.True(t, r.IsEmpty())
	checkRedis(t, &r)
	require.NoError(t, r.Merge(elements(10)))
	require.Equal(t, uint64(10), r.Estimate())
	require.Equal(t, 1<<14, r.SizeBytes())
	r.Reset()
	require.True(t, r.Equal(hll.NewRedis()))
	require.True(t, r.AddString("a"))
	require.EqualError(t, r.Merge(nil), "hll: incompatible: merge with a nil Redis")
	require.ErrorIs(t, r.Merge(nil), hll.ErrIncompatible)
}

// One state has one string, whatever runs and counts it came in, and the smaller
// form that Redis would take.
func TestRedisStringsAreCanonical(t *testing.T) {
	header := func(encoding byte, ops ...byte) []byte {
		return append([]byte{'H', 'Y', 'L', 'L', encoding, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0}, ops...)
	}
	var first []byte
	for _, ops := range [][]byte{
		{0x40, 0x09, 0x84 | 3, 0x84, 0x7f, 0xf0}, // 10 zeros, 5 registers of 2, 16,369 zeros
		{0x09, 0x84, 0x84 | 3, 0x3f, 0x7f, 0xb0},
		{0x00, 0x08, 0x84 | 1, 0x84 | 2, 0x40, 0x00, 0x7f, 0xef},
	} {
		var r hll.Redis
		require.NoError(t, r.UnmarshalBinary(header(1, ops...)))
		image := must(r.MarshalBinary())
		require.Len(t, image, 16+5)
		if first == nil {
			first = image
		}
		require.Equal(t, first, image)
	}
	// Larger than 32 is not to be said in sparse form, and 3,000 bytes are the limit.
	dense := header(0, make([]byte, 12288)...)
	dense[16] = 32
	var r hll.Redis
	require.NoError(t, r.UnmarshalBinary(dense))
	require.Len(t, must(r.MarshalBinary()), 16+1+2)
	dense[16] = 33
	require.NoError(t, r.UnmarshalBinary(dense))
	require.Equal(t, dense[16:], must(r.MarshalBinary())[16:])
	grown, isDense := hll.NewRedis(), false
	for i := range 4000 {
		grown.AddString(fmt.Sprint("element-", i))
		if i%20 == 0 {
			size := len(must(grown.MarshalBinary()))
			require.True(t, size == 12304 || size <= 3000 && !isDense, "%d bytes", size)
			isDense = size == 12304
		}
	}
	require.True(t, isDense)
}

func TestRedisStringsThatAreRefused(t *testing.T) {
	sparse, dense := redisString(t, 300), redisString(t, 100_000)
	with := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	runs := func(ops ...byte) []byte { return append(bytes.Clone(sparse[:16]), ops...) }
	k := redisKind()
	for what, data := range map[string][]byte{
		"other magic":                    with(sparse, 0, 'h'),
		"encoding 2":                     with(sparse, 4, 2),
		"reserved byte":                  with(sparse, 7, 1),
		"register 52":                    with(dense, 16, 52),
		"register 63":                    with(dense, 12303, 0xfc),
		"dense and a byte":               append(bytes.Clone(dense), 0),
		"sparse and a byte":              append(bytes.Clone(sparse), 0),
		"dense as sparse":                with(dense, 4, 1),
		"sparse as dense":                with(sparse, 4, 0),
		"one register fewer":             runs(0x7f, 0xfe),
		"one register more by zeros":     runs(0x7f, 0xfe, 0x01),
		"one register more by a value":   runs(0x7f, 0xfe, 0x81),
		"one register more by many":      runs(0x00, 0x7f, 0xff),
		"half an opcode":                 runs(0x7f),
		"runs that overflow 16 bits":     runs(bytes.Repeat([]byte{0x7f, 0xff}, 5)...),
		"runs that overflow 31 bits":     runs(append(bytes.Repeat([]byte{0x7f, 0xff}, 131_073), 0xff)...),
		"no opcode at all, but a header": runs(),
	} {
		refusesFree(t, k, data, what)
	}
	for _, whole := range [][]byte{sparse, dense} {
		for n := range whole {
			var r hll.Redis
			require.ErrorIs(t, r.UnmarshalBinary(whole[:n]), hll.ErrCorrupt, "cut to %d", n)
			if n < 400 || n%100 == 0 {
				_, err := r.ReadFrom(bytes.NewReader(whole[:n]))
				require.ErrorIs(t, err, hll.ErrCorrupt)
				end := io.ErrUnexpectedEOF
				if n == 0 {
					end = io.EOF
				}
				require.ErrorIs(t, err, end)
			}
			require.True(t, r.IsEmpty())
		}
	}
	var r hll.Redis
	require.ErrorIs(t, r.UnmarshalText([]byte("no base64!")), hll.ErrCorrupt)
}

// refusesFree is refuses for a string without a checksum.
func refusesFree(t *testing.T, k kind, data []byte, what string) {
	t.Helper()
	got := k.zero()
	require.NoError(t, got.UnmarshalBinary(must(k.value.MarshalBinary())))
	require.ErrorIs(t, got.UnmarshalBinary(data), hll.ErrCorrupt, what)
	require.True(t, k.equal(k.value, got), what)
	n, err := got.ReadFrom(bytes.NewReader(data))
	if err != nil {
		require.ErrorIs(t, err, hll.ErrCorrupt, what)
		require.True(t, k.equal(k.value, got), what)
	} else {
		require.Less(t, int(n), len(data), what) // only what follows was wrong
	}
}

// The cached count is a claim of whoever wrote it: it is never believed.
func TestRedisCountIsNotBelieved(t *testing.T) {
	data := redisString(t, 1000)
	for i := range 8 {
		data[8+i] = 0x7f
	}
	var r hll.Redis
	require.NoError(t, r.UnmarshalBinary(data))
	require.Equal(t, uint64(994), r.Estimate())
}

func TestRedisAllocatesNothingOnceItIsThere(t *testing.T) {
	r, i := elements(1), 0
	key := []byte("element-00000000")
	other := elements(5000)
	testkit.NoAllocs(t, "Redis", func() {
		binary.LittleEndian.PutUint64(key[8:], uint64(i))
		r.Add(key)
		r.AddString("element-1")
		r.Estimate()
		require.NoError(t, r.Merge(other))
		i++
	})
}

// shortWriter takes a byte less than it is given and, against its contract, says nothing.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) - 1, nil }

func TestRedisWriteToShortWriter(t *testing.T) {
	n, err := hll.NewRedis().WriteTo(shortWriter{})
	require.ErrorIs(t, err, io.ErrShortWrite)
	require.EqualValues(t, 17, n)
}
