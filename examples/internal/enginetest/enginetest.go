// Package enginetest holds what every node.Engine must do, as tests.
package enginetest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Open opens or makes the engine in dir. Once a Put of it is durable, the end of
// the process must not lose it.
type Open func(dir string) (node.Engine, error)

// Run runs the tests.
func Run(t *testing.T, open Open) {
	t.Run("against a map", func(t *testing.T) { againstAMap(t, open) })
	t.Run("keys and values of all kinds", func(t *testing.T) { allKinds(t, open) })
	t.Run("the last of many writes", func(t *testing.T) { lastOfMany(t, open) })
	t.Run("values stay", func(t *testing.T) { valuesStay(t, open) })
	t.Run("concurrent use", func(t *testing.T) { concurrentUse(t, open) })
	t.Run("closed", func(t *testing.T) { closed(t, open) })
}

func mustOpen(t *testing.T, open Open, dir string) node.Engine {
	t.Helper()
	e, err := open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close(true)) })
	return e
}

func put(t *testing.T, e node.Engine, key string, value []byte) {
	t.Helper()
	durable, err := e.Put(key, value)
	require.NoError(t, err)
	require.NoError(t, durable())
}

func get(t *testing.T, e node.Engine, key string) (string, bool) {
	t.Helper()
	value, ok, err := e.Get(key)
	require.NoError(t, err)
	return string(value), ok
}

func all(t *testing.T, e node.Engine) map[string]string {
	t.Helper()
	seq, err := e.All()
	require.NoError(t, err)
	held := map[string]string{}
	for key, value := range seq {
		require.NotContains(t, held, key, "every key comes once")
		held[key] = string(value)
	}
	return held
}

// againstAMap writes, deletes and reads at random, through clean ends and crashes.
func againstAMap(t *testing.T, open Open) {
	rng := rand.New(rand.NewPCG(1, 2))
	dir, model := t.TempDir(), map[string]string{}
	e := mustOpen(t, open, dir)
	for i := range 600 {
		key := fmt.Sprintf("key-%03d", rng.IntN(150))
		switch dice := rng.IntN(100); {
		case dice < 2:
			// A crash may bring back what was deleted since the last durable write.
			put(t, e, "last", []byte{byte(i)})
			model["last"] = string([]byte{byte(i)})
			require.NoError(t, e.Close(dice == 0))
			e = mustOpen(t, open, dir)
		case dice < 40:
			value := bytes.Repeat([]byte{byte(i)}, rng.IntN(200))
			put(t, e, key, value)
			model[key] = string(value)
		case dice < 50:
			require.NoError(t, e.Delete(key))
			delete(model, key)
			_, ok := get(t, e, key)
			require.False(t, ok)
		case dice < 52:
			require.Equal(t, model, all(t, e), "step %d", i)
		default:
			got, ok := get(t, e, key)
			want, there := model[key]
			require.Equal(t, there, ok, "step %d, %s", i, key)
			require.Equal(t, want, got, "step %d, %s", i, key)
		}
	}
	require.Equal(t, model, all(t, e))
	require.NoError(t, e.Close(false))
	e = mustOpen(t, open, dir)
	require.Equal(t, model, all(t, e))
}

// allKinds writes what an engine may stumble over.
func allKinds(t *testing.T, open Open) {
	dir := t.TempDir()
	e := mustOpen(t, open, dir)
	want := map[string]string{
		"":                          "a key without a byte",
		"empty":                     "",
		"\x00":                      "\x00\xff",
		"a/b c?\xff\xfe":            "bytes",
		string(make([]byte, 4<<10)): "a long key",
		"long":                      string(bytes.Repeat([]byte("v"), node.MaxBody)),
	}
	_, ok := get(t, e, "")
	assert.False(t, ok, "nothing is there yet")
	for key, value := range want {
		put(t, e, key, []byte(value))
	}
	for range 2 {
		for key, value := range want {
			got, ok := get(t, e, key)
			require.True(t, ok, "%.20q", key)
			require.True(t, value == got, "%.20q", key)
		}
		require.True(t, maps.Equal(want, all(t, e)))
		require.NoError(t, e.Close(true))
		e = mustOpen(t, open, dir)
	}
}

// lastOfMany writes a key often before it waits: the last value stays, and who
// waits for an earlier one is told that a later one is there.
func lastOfMany(t *testing.T, open Open) {
	dir := t.TempDir()
	e := mustOpen(t, open, dir)
	var waits []func() error
	for i := range 500 {
		durable, err := e.Put("key", fmt.Append(nil, i))
		require.NoError(t, err)
		got, ok := get(t, e, "key")
		require.True(t, ok)
		require.Equal(t, fmt.Sprint(i), got, "a write is read at once")
		waits = append(waits, durable)
	}
	for _, durable := range waits {
		require.NoError(t, durable())
	}
	require.NoError(t, waits[0](), "asked again")
	require.NoError(t, e.Close(true))
	e = mustOpen(t, open, dir)
	got, _ := get(t, e, "key")
	require.Equal(t, "499", got)
}

// valuesStay looks at values and iterators that were handed out before the
// engine changed, and was closed.
func valuesStay(t *testing.T, open Open) {
	e := mustOpen(t, open, t.TempDir())
	for i := range 100 {
		put(t, e, fmt.Sprint("key", i), bytes.Repeat([]byte{byte(i)}, 100))
	}
	value, _, err := e.Get("key7")
	require.NoError(t, err)
	seq, err := e.All()
	require.NoError(t, err)
	_, err = e.All() // that nobody iterates over
	require.NoError(t, err)
	for i := range 100 {
		put(t, e, fmt.Sprint("key", i), bytes.Repeat([]byte("x"), 3000))
	}
	assert.Equal(t, bytes.Repeat([]byte{7}, 100), value)
	for range seq {
		break
	}
	require.NoError(t, e.Close(false))
	assert.Equal(t, bytes.Repeat([]byte{7}, 100), value)
}

// concurrentUse lets goroutines read back what they wrote while others write and
// list.
func concurrentUse(t *testing.T, open Open) {
	dir := t.TempDir()
	e := mustOpen(t, open, dir)
	const writers, keys, rounds = 4, 10, 100
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				key := fmt.Sprintf("%d-%d", w, i%keys)
				durable, err := e.Put(key, fmt.Append(nil, i))
				if !assert.NoError(t, err) || !assert.NoError(t, durable()) {
					return
				}
				value, ok, err := e.Get(key)
				assert.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, fmt.Sprint(i), string(value))
			}
		})
	}
	wg.Go(func() {
		for range 10 {
			seq, err := e.All()
			if assert.NoError(t, err) {
				for key := range seq {
					assert.NotEmpty(t, key)
				}
			}
			e.Stats()
		}
	})
	wg.Wait()
	require.NoError(t, e.Close(true))
	held := all(t, mustOpen(t, open, dir))
	require.Len(t, held, writers*keys)
	for key, value := range held {
		var w, k int
		_, err := fmt.Sscanf(key, "%d-%d", &w, &k)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(rounds-keys+k), value, key)
	}
}

// closed asks an engine that is no more, and makes waiting end with it.
func closed(t *testing.T, open Open) {
	for _, died := range []bool{false, true} {
		dir := t.TempDir()
		e := mustOpen(t, open, dir)
		durable, err := e.Put("key", []byte("value"))
		require.NoError(t, err)
		require.NoError(t, e.Close(died))
		if err := durable(); err != nil {
			require.True(t, died, "a clean end keeps everything: %v", err)
		} else {
			got, ok := get(t, mustOpen(t, open, dir), "key")
			require.True(t, ok)
			require.Equal(t, "value", got)
		}
		require.NoError(t, e.Close(died), "twice is fine")
		_, _, err = e.Get("key")
		require.ErrorIs(t, err, os.ErrClosed)
		_, err = e.Put("key", nil)
		require.ErrorIs(t, err, os.ErrClosed)
		require.ErrorIs(t, e.Delete("key"), os.ErrClosed)
		_, err = e.All()
		require.ErrorIs(t, err, os.ErrClosed)
	}
}
