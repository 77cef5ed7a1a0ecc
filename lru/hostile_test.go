package lru_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mend writes the right checksum under a changed image.
func mend(image []byte) []byte {
	if n := len(image) - 8; n >= 0 {
		binary.LittleEndian.PutUint64(image[n:], xxhash.Sum64(image[:n]))
	}
	return image
}

// receivers are caches that hold something, one of each policy and kind.
func receivers() map[string]*lru.Cache[string, uint32] {
	m := map[string]*lru.Cache[string, uint32]{
		"zero":     new(lru.Cache[string, uint32]),
		"weighted": must(lru.New[string, uint32](100, lru.WithWeigher(func(_ string, v uint32) uint32 { return v }))),
		"sliding":  must(lru.New[string, uint32](5, lru.WithTTL(time.Hour), lru.WithSliding(), lru.WithPolicy(lru.LFU))),
	}
	for _, p := range policies {
		m[p.String()] = must(lru.New[string, uint32](5, lru.WithPolicy(p)))
	}
	for name, c := range m {
		if name != "zero" {
			c.Set("before", 1)
		}
	}
	return m
}

// tries reads image into every receiver. What refuses it has not changed, what
// takes it is sound, and memory stays within what the image justifies: its bytes
// twice, and its entries.
func tries(t *testing.T, image []byte) (accepted bool) {
	t.Helper()
	for name, c := range receivers() {
		before := keysOf(c.All())
		var n int64
		var err error
		used := testkit.AllocatedBytes(func() { n, err = c.ReadFrom(bytes.NewReader(image)) })
		require.LessOrEqual(t, used, uint64(100*len(image)+256<<10), name)
		require.NoError(t, lru.Check(c), name)
		if err == nil {
			accepted = true
			require.LessOrEqual(t, n, int64(len(image)), "what follows an image stays unread")
			continue
		}
		require.True(t, errors.Is(err, lru.ErrCorrupt) || errors.Is(err, lru.ErrIncompatible), "%s: %v", name, err)
		require.Equal(t, before, keysOf(c.All()), name)
		if name != "zero" {
			require.True(t, c.Set("after", 1))
			require.NoError(t, lru.Check(c), name)
		} else {
			require.Zero(t, c.Cap())
		}
	}
	return accepted
}

func TestDamagedImagesAreRefused(t *testing.T) {
	for name, c := range goldens(t) {
		image := imageOf(t, c)
		for n := range image {
			d := must(lru.New[string, uint32](5))
			_, err := d.ReadFrom(bytes.NewReader(image[:n]))
			require.ErrorIs(t, err, lru.ErrCorrupt, "%s cut to %d", name, n)
			end := io.ErrUnexpectedEOF
			if n == 0 {
				end = io.EOF
			}
			require.ErrorIs(t, err, end, "%s cut to %d", name, n)
		}
		d := must(lru.New[string, uint32](5))
		d.Set("before", 1)
		for i := range image {
			for bit := range 8 {
				image[i] ^= 1 << bit
				_, err := d.ReadFrom(bytes.NewReader(image))
				require.ErrorIs(t, err, lru.ErrCorrupt, "%s: bit %d of byte %d", name, bit, i)
				image[i] ^= 1 << bit
			}
		}
		require.Equal(t, []string{"before"}, keysOf(d.All()))
		check(t, d)
	}
}

// Any value anywhere, under a checksum that is right.
func TestBombs(t *testing.T) {
	extremes := []uint64{
		0, 1, 2, 1 << 16, 1<<32 - 1, 1 << 32, 1 << 40, 1 << 58, 1 << 63,
		math.MaxInt64, math.MaxUint64, 0x8080808080808080, 0x0101010101010101,
	}
	for _, name := range []string{"weighted", "S3FIFO", "LFU", "SIEVE"} {
		whole := imageOf(t, goldens(t)[name])
		for at := 6; at+8 <= len(whole)-8; at += 3 {
			for _, v := range extremes {
				image := bytes.Clone(whole)
				binary.LittleEndian.PutUint64(image[at:], v)
				tries(t, mend(image))
			}
		}
	}
}

func TestImagesThatAreNotSound(t *testing.T) {
	const params = 8
	put := func(b []byte, param int, v uint64) { binary.LittleEndian.PutUint64(b[params+8*param:], v) }
	payload := params + 5*8 + 8
	// note returns a pointer to what the policy says of an entry: after a key of
	// less than 128 bytes and a value of four.
	note := func(b []byte, entry int) *byte {
		at := payload
		for ; ; entry-- {
			if at += 1 + int(b[at]) + 4; entry == 0 {
				return &b[at]
			}
			at++
		}
	}
	for _, test := range []struct {
		of, what, says string
		change         func(b []byte) []byte
	}{
		{"LRU", "policy", "policy is 200, want less than ", func(b []byte) []byte { put(b, 0, 200); return b }},
		{"LRU", "capacity", "capacity is 0", func(b []byte) []byte { put(b, 1, 0); return b }},
		{"LRU", "capacity below entries", "5 entries in a cache of 4", func(b []byte) []byte { put(b, 1, 4); return b }},
		{"LRU", "entries", "18446744073709551615 entries in", func(b []byte) []byte { put(b, 2, math.MaxUint64); return b }},
		{"LRU", "one entry less", "bytes after the last entry", func(b []byte) []byte { put(b, 2, 4); return b }},
		{"LRU", "one entry more", "6 entries in a cache of 5", func(b []byte) []byte { put(b, 2, 6); return b }},
		{"LRU", "pinned entries without weights", "1 pinned entries of 5", func(b []byte) []byte { put(b, 3, 1); return b }},
		{"weighted", "more pinned entries than entries", "5 pinned entries of 4", func(b []byte) []byte { put(b, 3, 5); return b }},
		{"LRU", "types", "types are 0x1", func(b []byte) []byte { put(b, 4, 1<<40); return b }},
		{"LRU", "unknown flag", "flags are 0x08", func(b []byte) []byte { b[4] |= 8; return b }},
		{"LRU", "lifetimes without deadlines", "lifetimes without deadlines", func(b []byte) []byte { b[4] |= 4; return b }},
		{"LRU", "version", "version 1 is newer", func(b []byte) []byte { b[3] = 1; return b }},
		{"LRU", "long key", "length is 127", func(b []byte) []byte { b[payload] = 127; return b }},
		{"LRU", "key twice", "key of entry 1 was there before", func(b []byte) []byte {
			copy(b[payload+6:], b[payload:payload+6])
			return b
		}},
		{"LFU", "count 0", "LFU says 0 of entry 0", func(b []byte) []byte { *note(b, 0) = 0; return b }},
		{"LFU", "counts that fall", "LFU says", func(b []byte) []byte { *note(b, 0) = 100; return b }},
		{"SIEVE", "mark", "SIEVE says 4 of entry 0", func(b []byte) []byte { *note(b, 0) = 4; return b }},
		{"SIEVE", "two hands", "SIEVE says 2 of entry", func(b []byte) []byte { *note(b, 0), *note(b, 1) = 2, 2; return b }},
		{"S3FIFO", "state", "S3FIFO says 8 of entry 0", func(b []byte) []byte { *note(b, 0) = 8; return b }},
		{"S3FIFO", "main before small", "S3FIFO says", func(b []byte) []byte { *note(b, 0), *note(b, 1) = 4, 0; return b }},
		{"Random", "note", "Random says 1 of entry 0", func(b []byte) []byte { *note(b, 0) = 1; return b }},
	} {
		image := mend(test.change(bytes.Clone(imageOf(t, goldens(t)[test.of]))))
		d := must(lru.New[string, uint32](5, lru.WithPolicy(goldenPolicy(test.of)), lru.WithWeigher(func(string, uint32) uint32 { return 1 })))
		d.Set("before", 1)
		_, err := d.ReadFrom(bytes.NewReader(image))
		require.ErrorIs(t, err, lru.ErrCorrupt, "%s: %s", test.of, test.what)
		assert.ErrorContains(t, err, test.says, "%s: %s", test.of, test.what)
		assert.Equal(t, []string{"before"}, keysOf(d.All()))
		check(t, d)
	}
}

func goldenPolicy(name string) lru.Policy {
	for _, p := range policies {
		if p.String() == name {
			return p
		}
	}
	return lru.LRU
}

// Functions of the user that fail or panic while an image is read.
func TestReadFromIsAllOrNothing(t *testing.T) {
	src := must(lru.New[int, point3](10))
	for i := range 10 {
		src.Set(i, point3{byte(i), 0, 0})
	}
	image := imageOf(t, src)
	calls := 0
	boom := func() {
		if calls++; calls == 7 {
			panic("user")
		}
	}
	for name, opts := range map[string][]lru.Option{
		"weigher": {lru.WithWeigher(func(int, point3) uint32 { boom(); return 1 })},
		"hasher":  {lru.WithHasher(func(k int) uint64 { boom(); return uint64(k) })},
		"expiry":  {lru.WithExpiry(func(int, point3) time.Duration { boom(); return 1 << 40 })},
	} {
		calls = 100
		c := must(lru.New[int, point3](10, opts...))
		c.Set(77, point3{})
		calls = 0
		assert.PanicsWithValue(t, "user", func() { must(c.ReadFrom(bytes.NewReader(image))) }, name)
		calls = 100
		assert.Equal(t, []int{77}, keysOf(c.All()))
		check(t, c)
		must(c.ReadFrom(bytes.NewReader(image)))
		assert.Equal(t, 10, c.Len())
		check(t, c)
	}
	bad := bytes.Clone(image)
	at := bytes.LastIndex(bad, []byte{3, 9, 0, 0}) // length and value of the last entry
	bad[at], bad[at+3] = 2, 0
	copy(bad[at+3:], bad[at+4:])
	bad = bad[:len(bad)-1]
	binary.LittleEndian.PutUint64(bad[8+5*8:], uint64(len(bad)-8-5*8-8-8))
	_, err := src.ReadFrom(bytes.NewReader(mend(bad)))
	assert.ErrorIs(t, err, lru.ErrCorrupt)
	assert.ErrorContains(t, err, "not three coordinates")
	assert.Equal(t, 10, src.Len())
}

// A number that does not fit an int of 32 bits is named; those of 64 bits fit.
func TestBigIntsOnSmallMachines(t *testing.T) {
	c := must(lru.New[int64, uint64](1))
	c.Set(1<<40, 1<<40)
	var d lru.Cache[int, uint]
	_, err := d.ReadFrom(bytes.NewReader(imageOf(t, c)))
	if math.MaxInt == math.MaxInt32 {
		require.ErrorIs(t, err, lru.ErrIncompatible)
		require.ErrorContains(t, err, "image holds 1099511627776, which is more than an int of this machine holds")
		return
	}
	require.NoError(t, err)
	v, ok := d.Get(1 << 40 % math.MaxInt)
	require.True(t, ok && v == 1<<40%math.MaxInt)
}

// ReadFrom holds its input twice at most: as it is put together, and then as it is
// and as entries.
func TestMemoryOfReadFrom(t *testing.T) {
	testkit.NotUnderInvariants(t)
	const n, size = 1000, 4 << 10
	c := must(lru.New[int, []byte](n))
	for k := range n {
		c.Set(k, make([]byte, size))
	}
	image := imageOf(t, c)
	var before, first, last runtime.MemStats
	calls := 0
	d := must(lru.New[int, []byte](n, lru.WithWeigher(func(int, []byte) uint32 {
		switch calls++; calls {
		case 1:
			runtime.ReadMemStats(&first)
		case n:
			runtime.GC()
			runtime.ReadMemStats(&last)
		}
		return 1
	})))
	runtime.GC()
	runtime.ReadMemStats(&before)
	must(d.ReadFrom(bytes.NewReader(image)))
	most := uint64(2*len(image) + 256<<10)
	if !invariants.Enabled { // with the race detector, joining slices takes one more
		assert.Less(t, first.TotalAlloc-before.TotalAlloc, most, "before the first entry is there")
	}
	assert.Less(t, last.HeapAlloc-before.HeapAlloc, most, "when the last one comes")

	// Of small entries memory is that of the cache, which is larger than its image, as it
	// grows; Concurrent divides it.
	for _, each := range []struct {
		into io.ReaderFrom
		most uint64
	}{{must(lru.New[int, int](100 * n)), 200}, {must(lru.NewConcurrent[int, int](100 * n)), 450}} {
		src := must(lru.New[int, int](100 * n))
		for k := range 100 * n {
			src.Set(k, k)
		}
		image := imageOf(t, src)
		used := testkit.AllocatedBytes(func() { must(each.into.ReadFrom(bytes.NewReader(image))) })
		assert.Less(t, used/(100*n), each.most, "bytes an entry")
	}
}
