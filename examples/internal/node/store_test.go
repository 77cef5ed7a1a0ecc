package node

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustOpen(t *testing.T, dir string, fsync Fsync, limit int) *store {
	t.Helper()
	s, err := openStore(dir, fsync)
	require.NoError(t, err)
	s.limit = limit
	return s
}

func put(t *testing.T, s *store, key string, value []byte) {
	t.Helper()
	durable, err := s.Put(key, value)
	if assert.NoError(t, err) {
		assert.NoError(t, durable())
	}
}

// The store against a map, through flushes, compactions, clean ends and crashes.
func TestStoreAgainstAMap(t *testing.T) {
	for _, fsync := range []Fsync{FsyncAlways, FsyncGroup, FsyncOff} {
		t.Run(string(fsync), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			dir, model := t.TempDir(), map[string][]byte{}
			var hits, skipped uint64
			count := func(e EngineStats) { hits, skipped = hits+e.CacheHits, skipped+e.Skipped }
			s := mustOpen(t, dir, fsync, 4<<10)
			for i := range 1500 {
				key := fmt.Sprintf("key-%03d", rng.IntN(400))
				switch rng.IntN(100) {
				default:
					got, ok, err := s.Get(key)
					require.NoError(t, err)
					want, there := model[key]
					require.Equal(t, there, ok, "step %d, %s", i, key)
					require.Equal(t, string(want), string(got))
				case 0:
					count(s.Stats())
					require.NoError(t, s.Close(rng.IntN(2) == 0))
					_, _, err := s.Get(key)
					require.ErrorIs(t, err, os.ErrClosed)
					_, err = s.Put(key, nil)
					require.ErrorIs(t, err, os.ErrClosed)
					s = mustOpen(t, dir, fsync, 4<<10)
				case 31, 32, 33, 34, 35:
					require.NoError(t, s.Delete(key))
					delete(model, key)
				case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30:
					value := bytes.Repeat([]byte{byte(i)}, rng.IntN(200))
					put(t, s, key, value)
					model[key] = value
				}
			}
			held, err := s.All()
			require.NoError(t, err)
			all := maps.Collect(held)
			require.Len(t, all, len(model))
			for key, want := range model {
				require.Equal(t, string(want), string(all[key]), key)
			}
			count(s.Stats())
			assert.NotZero(t, s.Stats().Segments)
			assert.LessOrEqual(t, s.Stats().Segments, maxSegments+1)
			assert.NotZero(t, hits, "the cache is of use")
			assert.NotZero(t, skipped, "the filters are of use")
			require.NoError(t, s.Close(false))
		})
	}
}

// A log that was cut anywhere gives back every record before the cut, and goes
// on after it.
func TestLogIsCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, FsyncOff, memLimit)
	var ends []int
	for i := range 12 {
		put(t, s, fmt.Sprint("key", i), bytes.Repeat([]byte{byte(i)}, i))
		ends = append(ends, int(s.log.written))
	}
	path := s.log.path
	require.NoError(t, s.Close(true))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)

	for cut := range len(whole) + 1 {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(path)), whole[:cut], 0o600))
		s := mustOpen(t, dir, FsyncOff, memLimit)
		put(t, s, "after", []byte("the cut"))
		require.NoError(t, s.Close(true))
		s = mustOpen(t, dir, FsyncOff, memLimit)
		for i, end := range ends {
			got, ok, err := s.Get(fmt.Sprint("key", i))
			require.NoError(t, err)
			require.Equal(t, end <= cut, ok, "record %d ends at %d, cut at %d", i, end, cut)
			require.True(t, !ok || bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, i)))
		}
		_, ok, err := s.Get("after")
		require.NoError(t, err)
		require.True(t, ok, "cut at %d", cut)
		require.NoError(t, s.Close(false))
	}
}

// Damage in a segment is an error that names it, when it is opened or when the
// damaged block is read, and never a wrong value.
func TestSegmentDamageIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "00000001.seg")
	model := map[string][]byte{}
	require.NoError(t, writeSegment(path, 300, func(yield func(string, []byte) bool) {
		for i := range 300 {
			key, value := fmt.Sprintf("key-%03d", i), bytes.Repeat([]byte{byte(i)}, 40)
			model[key] = value
			if !yield(key, value) {
				return
			}
		}
	}))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for at := 0; at < len(whole); at += 97 {
		bad := bytes.Clone(whole)
		bad[at] ^= 0x40
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		seg, err := openSegment(path)
		if err != nil {
			require.ErrorContains(t, err, path)
			continue
		}
		var damaged error
		for key, value := range seg.all(&damaged) {
			require.Equal(t, string(model[key]), string(value))
		}
		require.ErrorContains(t, damaged, path, "byte %d", at)
		require.NoError(t, seg.close())
	}
	for cut := 0; cut < len(whole); cut += 97 {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		_, err := openSegment(path)
		require.Error(t, err, "cut at %d", cut)
	}
}

func TestStoreUnderConcurrentUse(t *testing.T) {
	s := mustOpen(t, t.TempDir(), FsyncGroup, 2<<10)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				key, value := fmt.Sprintf("%d-%d", g, i%50), fmt.Append(nil, i)
				put(t, s, key, value)
				got, ok, err := s.Get(key)
				assert.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, string(value), string(got), "a write is read at once")
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Close(false))
	require.NoError(t, s.Close(false), "twice is fine")
}
