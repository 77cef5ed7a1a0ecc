package hints_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/quorum/hints"
	"github.com/stretchr/testify/require"
)

var noon = time.UnixMilli(1_700_000_000_000)

func open(t *testing.T, dir string, opts ...hints.Option) *hints.Log {
	t.Helper()
	l, err := hints.Open(dir, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func put(t *testing.T, s hints.Store, owner, key, value string) {
	t.Helper()
	require.NoError(t, s.PutAt(noon, hints.Hint{Owner: owner, Key: key, Value: []byte(value)}))
}

func pending(s hints.Store, owner string) []hints.Hint { return slices.Collect(s.Pending(owner)) }

func keys(s hints.Store, owner string) string {
	var out []string
	for h := range s.Pending(owner) {
		out = append(out, h.Key+"="+string(h.Value))
	}
	return strings.Join(out, " ")
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, f := range list {
		out = append(out, f.Name())
	}
	return out
}

// check holds for every store at any time: what Stats counts is there.
func check(t *testing.T, s interface {
	hints.Store
	Stats() hints.Stats
},
) {
	t.Helper()
	stats := s.Stats()
	var n int
	last := uint64(0)
	owners := s.Owners()
	require.True(t, slices.IsSorted(owners))
	for _, owner := range owners {
		list := pending(s, owner)
		require.NotEmpty(t, list)
		last = 0
		for _, h := range list {
			require.Greater(t, h.ID, last)
			require.Equal(t, owner, h.Owner)
			last = h.ID
		}
		n += len(list)
	}
	require.Equal(t, n, stats.Hints)
	require.Equal(t, len(owners), stats.Owners)
}

// model is the slow twin of every store.
type model struct{ hints []hints.Hint }

func (m *model) pending(owner string) []hints.Hint {
	var out []hints.Hint
	for _, h := range m.hints {
		if h.Owner == owner {
			out = append(out, h)
		}
	}
	return out
}

func TestStoresAgainstAModel(t *testing.T) {
	dir := t.TempDir()
	small := []hints.Option{hints.WithSync(-1), hints.WithMaxBytes(64<<10, 32<<10)}
	for name, reopen := range map[string]func(old hints.Store) hints.Store{
		"memory": func(old hints.Store) hints.Store {
			if old == nil {
				return hints.NewMemory(1 << 20)
			}
			return old
		},
		"log": func(old hints.Store) hints.Store {
			if old != nil {
				require.NoError(t, old.Close())
			}
			return open(t, dir, small...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			s := reopen(nil)
			var m model
			next := uint64(1)
			for i := range 4000 {
				owner := fmt.Sprint("node-", rng.IntN(4))
				switch op := rng.IntN(100); {
				case op < 50:
					value := make([]byte, rng.IntN(100))
					err := s.PutAt(noon, hints.Hint{Owner: owner, Key: fmt.Sprint(i), Value: value})
					if err != nil {
						require.ErrorIs(t, err, hints.ErrFull)
						continue
					}
					m.hints = append(m.hints, hints.Hint{Owner: owner, Key: fmt.Sprint(i), Value: value, At: noon})
					list := pending(s, owner)
					id := list[len(list)-1].ID
					require.GreaterOrEqual(t, id, next, "never used twice")
					m.hints[len(m.hints)-1].ID = id
					next = id + 1
				case op < 98 && len(m.hints) > 0:
					j := rng.IntN(min(len(m.hints), 1+rng.IntN(20)))
					h := m.hints[j]
					require.NoError(t, s.Done(h.Owner, h.ID))
					require.NoError(t, s.Done(h.Owner, h.ID), "gone is no error")
					m.hints = slices.Delete(m.hints, j, j+1)
				default:
					s = reopen(s)
				}
				if i%40 == 0 {
					for n := range 4 {
						owner := fmt.Sprint("node-", n)
						require.Equal(t, m.pending(owner), pending(s, owner))
					}
					check(t, s.(interface {
						hints.Store
						Stats() hints.Stats
					}))
				}
			}
			require.NoError(t, s.Close())
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := hints.NewMemory(400)
	for range 4 {
		put(t, m, "node", "k", "0123456789")
	}
	require.ErrorIs(t, m.Put(hints.Hint{Owner: "node", Key: "k", Value: make([]byte, 10)}), hints.ErrFull)
	require.EqualValues(t, 1, m.Stats().Refused)
	require.NoError(t, m.Done("node", pending(m, "node")[1].ID))
	put(t, m, "node", "k", "0123456789")
	require.Equal(t, hints.Stats{Hints: 4, Owners: 1, Bytes: 380, Stored: 5, Delivered: 1, Refused: 1}, m.Stats())
	check(t, m)
	require.ErrorIs(t, hints.NewMemory(0).Put(hints.Hint{Owner: "node"}), hints.ErrFull)
	require.NoError(t, m.Close())
	require.ErrorIs(t, m.Put(hints.Hint{Owner: "node"}), hints.ErrClosed)
}

func TestMemoryCopiesValues(t *testing.T) {
	m := hints.NewMemory(1000)
	value := []byte("old")
	require.NoError(t, m.PutAt(noon, hints.Hint{Owner: "a", Value: value}))
	copy(value, "new")
	require.Equal(t, "=old", keys(m, "a"))
}

func TestPutAndDoneDuringPending(t *testing.T) {
	for name, s := range map[string]hints.Store{"memory": hints.NewMemory(1 << 20), "log": open(t, t.TempDir())} {
		for i := range 50 {
			put(t, s, "a", fmt.Sprint(i), "")
		}
		seen := 0
		for h := range s.Pending("a") {
			require.NoError(t, s.Done("a", h.ID))
			require.NoError(t, s.Done("a", h.ID+1)) // the next is not seen
			put(t, s, "a", "later", "")
			seen++
		}
		require.Equal(t, 25, seen, name)
		require.Len(t, pending(s, "a"), 25)
		for range s.Pending("a") {
			break
		}
		require.Empty(t, pending(s, "nobody"))
	}
}

func TestZeroStores(t *testing.T) {
	for _, s := range []hints.Store{new(hints.Memory), new(hints.Log)} {
		require.Empty(t, s.Owners())
		require.Empty(t, pending(s, "a"))
		require.NoError(t, s.Done("a", 1))
	}
	require.PanicsWithValue(t, "hints: PutAt on a Memory that NewMemory did not make", func() { _ = new(hints.Memory).Put(hints.Hint{}) })
	require.PanicsWithValue(t, "hints: PutAt on a Log that Open did not make", func() { _ = new(hints.Log).Put(hints.Hint{}) })
	require.Equal(t, hints.Stats{}, new(hints.Memory).Stats())
	require.Equal(t, hints.Stats{}, new(hints.Log).Stats())
	require.NoError(t, new(hints.Memory).Close())
	require.NoError(t, new(hints.Log).Close())
}

func TestOpenRefuses(t *testing.T) {
	_, err := hints.Open(t.TempDir(), hints.WithMaxBytes(0, 5))
	require.ErrorContains(t, err, "bytes are at most 0, for an owner 5, want > 0")
	_, err = hints.Open(t.TempDir(), hints.WithKnownOwner(nil))
	require.ErrorContains(t, err, "WithKnownOwner(nil)")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = hints.Open(file)
	require.Error(t, err)
	require.ErrorContains(t, hints.NewMemory(100).Put(hints.Hint{Key: "k"}), `owner of a hint for key "k" is empty`)
	require.ErrorContains(t, open(t, t.TempDir()).Put(hints.Hint{Key: "k"}), `owner of a hint for key "k" is empty`)
}

func TestLogBounds(t *testing.T) {
	l := open(t, t.TempDir(), hints.WithMaxBytes(2000, 1000), hints.WithKnownOwner(func(owner string) bool { return owner != "stranger" }))
	require.ErrorContains(t, l.Put(hints.Hint{Owner: "stranger"}), `owner "stranger" is not known`)
	fill := func(owner string) (n int) {
		for l.PutAt(noon, hints.Hint{Owner: owner, Value: make([]byte, 50)}) == nil {
			n++
		}
		return n
	}
	a := fill("a")
	require.Greater(t, a, 8)
	require.Equal(t, a, fill("b"))
	require.Less(t, fill("c"), a)
	stats := l.Stats()
	require.LessOrEqual(t, stats.Bytes, int64(2000))
	require.EqualValues(t, 4, stats.Refused)
	for _, h := range pending(l, "a") {
		require.NoError(t, l.Done("a", h.ID))
	}
	require.Equal(t, a, fill("a"), "room again")
	check(t, l)
}

// TestIDsAreNotUsedTwice: not even when the files that held the last are gone.
func TestIDsAreNotUsedTwice(t *testing.T) {
	dir := t.TempDir()
	var last uint64
	for range 5 {
		l := open(t, dir)
		put(t, l, "a", "k", "v")
		put(t, l, "b", "k", "v")
		for _, owner := range l.Owners() {
			for _, h := range pending(l, owner) {
				require.Greater(t, h.ID, last)
				if owner == "b" {
					last = h.ID
				}
				require.NoError(t, l.Done(owner, h.ID))
			}
		}
		require.NoError(t, l.Close())
		require.Len(t, files(t, dir), 1, "only the mark is left")
		require.ErrorIs(t, l.Put(hints.Hint{Owner: "a"}), hints.ErrClosed)
		require.ErrorIs(t, l.Done("a", 1), hints.ErrClosed)
	}
}
