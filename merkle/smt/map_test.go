package smt_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/smt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The roots of celestiaorg/smt after each of 200 changes.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/roots.txt")
	require.NoError(t, err)
	m, changes := smt.New(), map[string]int{}
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		if w[0] == "#" {
			continue
		}
		changes[w[0]]++
		key := must(hex.DecodeString(w[1]))
		if w[0] == "set" {
			m.Set(key, must(hex.DecodeString(w[2])))
		} else {
			require.True(t, m.Delete(key), line)
		}
		require.Equal(t, w[len(w)-1], m.Root().String(), line)
	}
	require.Equal(t, 200, changes["set"]+changes["delete"])
	require.Positive(t, changes["delete"])
}

func TestMapFollowsItsTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	for _, keys := range []int{1, 2, 3, 8, 40, 200} {
		rnd := rand.New(rand.NewPCG(uint64(keys), 1))
		var m smt.Map
		w := twin{}
		check(t, w, &m)
		for range 150 {
			for range 1 + rnd.IntN(3) {
				step(rnd, keys, w, &m)
			}
			check(t, w, &m)
		}
		for key := range maps.Clone(w) {
			require.True(t, m.Delete([]byte(key)))
			require.False(t, m.Delete([]byte(key)))
			delete(w, key)
		}
		check(t, w, &m)
		assert.True(t, m.Root().IsZero())
	}
}

// The order of changes, and keys that came and went, leave no trace.
func TestHistoryIndependence(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	w := twin{}
	for i := range 300 {
		w[fmt.Sprint(i)] = fmt.Sprint(i * i)
	}
	want, keys := w.root(), slices.Sorted(maps.Keys(w))
	for range 10 {
		m := smt.New()
		rnd.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		for i, key := range keys {
			m.Set([]byte(key), []byte("for now"))
			m.Set(fmt.Append(nil, "passing ", i), nil)
			if i%50 == 0 {
				m.Root() // some nodes are hashed, some not
			}
		}
		for i, key := range keys {
			m.Set([]byte(key), []byte(w[key]))
			require.True(t, m.Delete(fmt.Append(nil, "passing ", i)))
		}
		require.Equal(t, want, m.Root())
	}
}

// An empty value is a value.
func TestEmptyKeysAndValues(t *testing.T) {
	m, w := smt.New(), twin{"": "", "a": ""}
	m.Set(nil, nil)
	m.Set([]byte("a"), []byte{})
	check(t, w, m)
	root := m.Root()
	m.Set([]byte("a"), nil)
	assert.Equal(t, root, m.Root())
}

// Snapshots, and snapshots of snapshots, of which some go on changing.
func TestSnapshotsDoNotMove(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	type version struct {
		m *smt.Map
		w twin
	}
	versions := []version{{smt.New(), twin{}}}
	for range 400 {
		i := rnd.IntN(len(versions))
		if len(versions) < 12 && rnd.IntN(10) == 0 {
			versions = append(versions, version{versions[i].m.Snapshot(), maps.Clone(versions[i].w)})
			continue
		}
		step(rnd, 60, versions[i].w, versions[i].m)
		if rnd.IntN(4) == 0 {
			check(t, versions[i].w, versions[i].m)
		}
	}
	for _, v := range versions {
		check(t, v.w, v.m)
	}
}

// Many goroutines hash and read snapshots that share nodes, while the map that
// they were taken of changes and is hashed itself.
func TestSnapshotsAreFreeThreaded(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rnd := rand.New(rand.NewPCG(9, 9))
	m, w := smt.New(), twin{}
	var wg sync.WaitGroup
	for range 30 {
		for range 150 {
			step(rnd, 400, w, m)
		}
		s, root, key := m.Snapshot(), w.root(), fmt.Append(nil, "key ", rnd.IntN(400))
		value, present := w[string(key)]
		for range 3 {
			wg.Go(func() {
				p := s.Snapshot().Prove(key)
				if present {
					assert.NoError(t, p.VerifyPresent(root, key, []byte(value)))
				} else {
					assert.NoError(t, p.VerifyAbsent(root, key))
				}
				assert.Equal(t, root, s.Root())
				for range smt.Diff(s, s.Snapshot()) {
					t.Error("a difference")
				}
			})
		}
	}
	wg.Wait()
	check(t, w, m)
}

// Many changes at once are hashed by several goroutines.
func TestParallelHashing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	m, w := smt.New(), twin{}
	for i := range 3000 {
		w[fmt.Sprint(i)] = "v"
		m.Set(fmt.Append(nil, i), []byte("v"))
	}
	require.Equal(t, w.root(), m.Root())
}

func TestDiffFollowsItsTwin(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 10))
		a, w := smt.New(), twin{}
		for range rnd.IntN(80) {
			step(rnd, 50, w, a)
		}
		b, x := a.Snapshot(), maps.Clone(w)
		if seed%3 == 0 { // made apart
			b = smt.New()
			for key, value := range x {
				b.Set([]byte(key), []byte(value))
			}
		}
		for range rnd.IntN(12) {
			step(rnd, 50, x, b)
		}
		want := map[merkle.Hash]smt.Change{}
		for key, value := range w {
			if x[key] != value {
				want[sum([]byte(key))] = smt.Change{A: sum([]byte(value))}
			}
		}
		for key, value := range x {
			if w[key] != value {
				c := want[sum([]byte(key))]
				c.B = sum([]byte(value))
				want[sum([]byte(key))] = c
			}
		}
		for _, turned := range []bool{false, true} {
			var before merkle.Hash
			n := 0
			seq := smt.Diff(a, b)
			if turned {
				seq = smt.Diff(b, a)
			}
			for path, c := range seq {
				if turned {
					c.A, c.B = c.B, c.A
				}
				require.Equal(t, want[path], c)
				require.True(t, n == 0 || before.String() < path.String(), "ascending")
				before = path
				n++
			}
			require.Len(t, want, n)
			for stop := range n { // a loop may end early
				k := 0
				for range seq {
					if k == stop {
						break
					}
					k++
				}
				require.Equal(t, stop, k)
			}
		}
	}
}

// A difference of one among many is found without a look at what is shared.
func TestDiffSkipsWhatIsShared(t *testing.T) {
	a := smt.New()
	for i := range 20_000 {
		a.Set(fmt.Append(nil, i), nil)
	}
	b := a.Snapshot()
	b.Set([]byte("5"), []byte("new"))
	assert.NotEqual(t, a.Root(), b.Root())
	assert.Greater(t, smt.Spoil(a, b), 39_900)
	n := 0
	for path, c := range smt.Diff(a, b) {
		assert.Equal(t, sum([]byte("5")), path)
		assert.Equal(t, smt.Change{A: sum(), B: sum([]byte("new"))}, c)
		n++
	}
	assert.Equal(t, 1, n)
}

// Diff of an empty map lists the other.
func TestDiffLists(t *testing.T) {
	m, w := smt.New(), twin{}
	for i := range 100 {
		w[fmt.Sprint(i)] = fmt.Sprint(i % 7)
		m.Set(fmt.Append(nil, i), fmt.Append(nil, i%7))
	}
	var got []leaf
	for path, c := range smt.Diff(new(smt.Map), m) {
		assert.True(t, c.A.IsZero())
		got = append(got, leaf{path, c.B})
	}
	assert.Equal(t, w.leaves(), got)
}

func TestVerifyingDoesNotAllocate(t *testing.T) {
	m := smt.New()
	for i := range 1000 {
		m.Set(fmt.Append(nil, i), nil)
	}
	root, there, gone := m.Root(), []byte("5"), []byte("gone")
	present, absent := m.Prove(there), m.Prove(gone)
	testkit.NoAllocs(t, "VerifyPresent", func() { _ = present.VerifyPresent(root, there, nil) })
	testkit.NoAllocs(t, "VerifyAbsent", func() { _ = absent.VerifyAbsent(root, gone) })
	testkit.NoAllocs(t, "Root", func() { m.Root() })
	value := []byte("x")
	m.Set(there, value)
	testkit.NoAllocs(t, "Set of an equal value", func() { m.Set(there, value) })
	testkit.NoAllocs(t, "Set of another value", func() { value[0]++; m.Set(there, value); m.Root() })
	testkit.NoAllocs(t, "Get and Delete", func() { m.Get(there); m.Delete(gone) })
}

func TestMemory(t *testing.T) {
	const n = 20_000
	used := testkit.LiveBytes(func() any {
		m := smt.New()
		for i := range n {
			m.Set(fmt.Append(nil, i), nil)
		}
		return m
	})
	assert.Less(t, float64(used)/n, 270.0)
}
