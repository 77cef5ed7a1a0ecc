package hints_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum/hints"
	"github.com/stretchr/testify/require"
)

// TestCutAtEveryOffset cuts the files of a store at every byte and holds that
// every hint whose record is whole is still there, in order, none twice, and
// that the store goes on.
func TestCutAtEveryOffset(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var ends []int64 // of the records, in the segment
	for i := range 8 {
		put(t, l, "owner", fmt.Sprint(i), strings.Repeat("x", i*3))
		ends = append(ends, l.Stats().Bytes)
	}
	list := pending(l, "owner")
	require.NoError(t, l.Done("owner", list[0].ID))
	require.NoError(t, l.Done("owner", list[3].ID))
	require.NoError(t, l.Close())
	names := files(t, dir)
	require.Equal(t, []string{"0000000000000001.done", "0000000000000001.hints"}, names)
	done, err := os.ReadFile(filepath.Join(dir, names[0]))
	require.NoError(t, err)
	segment, err := os.ReadFile(filepath.Join(dir, names[1]))
	require.NoError(t, err)

	reopen := func(segment, done []byte) *hints.Log {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, names[1]), segment, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, names[0]), done, 0o600))
		return open(t, dir, hints.WithSync(-1))
	}
	for cut := range len(segment) + 1 {
		l := reopen(segment[:cut], done)
		var want []string
		for i, end := range ends {
			if int64(cut) >= end && i != 0 && i != 3 {
				want = append(want, fmt.Sprintf("%d=%s", i, strings.Repeat("x", i*3)))
			}
		}
		require.Equal(t, strings.Join(want, " "), keys(l, "owner"), "cut at %d", cut)
		require.Zero(t, l.Stats().Damaged)
		put(t, l, "owner", "new", "")
		require.Equal(t, strings.Join(append(want, "new="), " "), keys(l, "owner"))
		check(t, l)
		require.NoError(t, l.Close())
	}
	for cut := range len(done) + 1 {
		l := reopen(segment, done[:cut])
		n := 8
		if cut >= 8+20 {
			n--
		}
		if cut >= 8+40 {
			n--
		}
		list := pending(l, "owner")
		require.Len(t, list, n, "a note that is lost means once more")
		require.NoError(t, l.Done("owner", list[0].ID))
		require.NoError(t, l.Close())
	}
}

// TestDamage flips each byte of a segment of three hints, before Open and
// after.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for _, key := range []string{"a", "b", "c"} {
		put(t, l, "owner", key, "value")
	}
	put(t, l, "other", "d", "value")
	require.NoError(t, l.Close())
	path := filepath.Join(dir, files(t, dir)[0])
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	record := (len(whole) - 8) / 3
	for at := range whole {
		bad := append([]byte(nil), whole...)
		bad[at] ^= 0x40
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		l := open(t, dir, hints.WithSync(-1))
		sound := max(at-8, 0) / record
		if at < 8 {
			sound = 0
		}
		require.Len(t, pending(l, "owner"), sound, "byte %d", at)
		require.Len(t, pending(l, "other"), 1)
		if at >= 8 && at < 8+2*record && (at-8)%record > 4 || at < 8 {
			require.EqualValues(t, 1, l.Stats().Damaged, "byte %d", at)
			require.ErrorIs(t, l.Close(), hints.ErrCorrupt)
		} else {
			_ = l.Close() // a length or the last record: it may be a torn write
		}

		require.NoError(t, os.WriteFile(path, whole, 0o600))
		l = open(t, dir, hints.WithSync(-1))
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		if at >= 8 {
			require.Len(t, pending(l, "owner"), sound, "byte %d", at)
			require.Equal(t, sound+1, l.Stats().Hints)
			require.EqualValues(t, 1, l.Stats().Damaged)
			require.ErrorIs(t, l.Close(), hints.ErrCorrupt)
		}
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
	l = open(t, dir)
	require.NoError(t, os.Remove(path)) // absence is like damage
	require.Empty(t, pending(l, "owner"))
	require.Len(t, pending(l, "other"), 1)
	require.ErrorIs(t, l.Close(), hints.ErrCorrupt)
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	future := append([]byte{0xD1, 0x6B, 'h', 's', 1, 0, 0, 0}, "whatever version 1 is"...)
	for name, data := range map[string][]byte{
		"README": nil, "0000000000000009.hints": future, "000000000000000A.hints": nil, "x.done": nil,
		"0000000000000003.done": nil, "0000000000000007.next": nil, "0000000000000004.next": nil,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "000000000000ffff.hints"), 0o700))
	l := open(t, dir)
	require.EqualValues(t, 1, l.Stats().Damaged)
	put(t, l, "a", "k", "v")
	require.EqualValues(t, 10, pending(l, "a")[0].ID)
	require.ErrorIs(t, l.Close(), hints.ErrCorrupt)
	require.Equal(t, []string{
		"0000000000000007.next", "0000000000000009.hints", "000000000000000A.hints", "000000000000000a.hints",
		"000000000000ffff.hints", "README", "x.done",
	}, files(t, dir))
}

// TestHugeLength: a length that the file does not hold allocates nothing.
func TestHugeLength(t *testing.T) {
	dir := t.TempDir()
	data := append([]byte{0xD1, 0x6B, 'h', 's', 0, 0, 0, 0}, make([]byte, 100)...)
	binary.LittleEndian.PutUint32(data[8:], 0xFFFF_FFFF)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "0000000000000001.hints"), data, 0o600))
	l := open(t, dir)
	require.Empty(t, l.Owners())
	require.NoError(t, l.Close())
}

func TestSyncPolicies(t *testing.T) {
	for _, every := range []time.Duration{0, time.Second, -1} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir, hints.WithSync(every))
			for range 3 {
				put(t, l, "a", "k", "v")
				time.Sleep(2 * time.Second)
				synctest.Wait()
			}
			put(t, l, "a", "k", "v")
			require.NoError(t, l.Close())
			require.NoError(t, l.Close())
			l = open(t, dir)
			require.Len(t, pending(l, "a"), 4)
			check(t, l)
			require.NoError(t, l.Close())
		})
	}
}

func TestLogConcurrently(t *testing.T) {
	l := open(t, t.TempDir(), hints.WithMaxBytes(1<<20, 1<<14))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			owner := fmt.Sprint("node-", w%2)
			for i := range 60 {
				if err := l.Put(hints.Hint{Owner: owner, Key: fmt.Sprint(w, i), Value: make([]byte, 100)}); err != nil {
					t.Error(err)
				}
				if i%5 == 0 {
					for h := range l.Pending(owner) {
						if err := l.Done(owner, h.ID); err != nil {
							t.Error(err)
						}
					}
				}
				l.Stats()
				l.Owners()
			}
		})
	}
	wg.Wait()
	check(t, l)
	s := l.Stats()
	require.EqualValues(t, 240, s.Stored)
	require.EqualValues(t, 240, int(s.Delivered)+s.Hints)
	require.NoError(t, l.Close())
}
