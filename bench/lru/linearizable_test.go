package lru

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/distkit/distkit/lru"
)

// call is what a goroutine did to a cache, and reply what it got.
type call struct {
	do    string
	key   uint64
	value int // of Set
}

type reply struct {
	value int
	ok    bool
}

const nothing = 0 // is no value

// register is one key by the definition: what was set last, or nothing. A load that
// was too old leaves nothing behind, so what is loaded may be kept or not.
var register = porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		by := map[uint64][]porcupine.Operation{}
		for _, op := range history {
			k := op.Input.(call).key
			by[k] = append(by[k], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range by {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() []any { return []any{nothing} },
	Step: func(state, in, out any) []any {
		held, c, r := state.(int), in.(call), out.(reply)
		found := r.ok == (held != nothing) && r.value == held
		switch {
		case c.do == "Set":
			return []any{c.value}
		case c.do == "Delete" && found:
			return []any{nothing}
		case c.do == "Get" && found, c.do == "GetOrLoad" && held != nothing && r.value == held:
			return []any{held}
		case c.do == "GetOrLoad" && held == nothing:
			return []any{nothing, r.value}
		}
		return nil
	},
}

// play lets goroutines use a cache of a few keys, with room for all, at once.
func play[K comparable](c *lru.Concurrent[K, int], key func(uint64) K, seed uint64) []porcupine.Operation {
	const goroutines, each, keys = 4, 150, 3
	var values atomic.Int64
	histories := make([][]porcupine.Operation, goroutines)
	begun := time.Now()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for range each {
				in := call{key: r.Uint64N(keys)}
				k := key(in.key)
				var out reply
				start := time.Since(begun)
				switch r.IntN(8) {
				case 0:
					in.do, in.value = "Set", int(values.Add(1))
					c.Set(k, in.value)
				case 1, 2:
					in.do = "Delete"
					out.value, out.ok = c.Delete(k)
				case 3, 4:
					in.do = "Get"
					out.value, out.ok = c.Get(k)
				default:
					in.do = "GetOrLoad"
					out.value, _ = c.GetOrLoad(context.Background(), k, func(context.Context, K) (int, error) {
						v := int(values.Add(1))
						runtime.Gosched()
						return v, nil
					})
				}
				histories[g] = append(histories[g], porcupine.Operation{
					ClientId: g, Input: in, Output: out, Call: int64(start), Return: int64(time.Since(begun)),
				})
				if r.IntN(4) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(histories...)
}

func TestConcurrentIsLinearizable(t *testing.T) {
	model := register.ToModel()
	for _, p := range []lru.Policy{lru.LRU, lru.S3FIFO, lru.SIEVE, lru.Adaptive} {
		for seed := range uint64(10) {
			words := check(lru.NewConcurrent[uint64, int](100, lru.WithPolicy(p)))
			boxes := check(lru.NewConcurrent[string, int](100, lru.WithPolicy(p)))
			for name, history := range map[string][]porcupine.Operation{
				"words": play(words, func(k uint64) uint64 { return k }, seed),
				"boxes": play(boxes, func(k uint64) string { return fmt.Sprint("key ", k) }, seed),
			} {
				if result := porcupine.CheckOperationsTimeout(model, history, 20*time.Second); result != porcupine.Ok {
					t.Errorf("%v, %s, seed %d: %v", p, name, seed, result)
				}
			}
		}
	}
}

// The judge finds a value that came back after it was deleted, and a load that is
// kept although the key was set meanwhile.
func TestTheJudgeFindsStaleValues(t *testing.T) {
	op := func(do string, value int, out reply, at int64) porcupine.Operation {
		return porcupine.Operation{Input: call{do: do, value: value}, Output: out, Call: at, Return: at + 1}
	}
	for name, test := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"kept":    {[]porcupine.Operation{op("GetOrLoad", 0, reply{value: 1}, 0), op("Get", 0, reply{1, true}, 2)}, true},
		"dropped": {[]porcupine.Operation{op("GetOrLoad", 0, reply{value: 1}, 0), op("Get", 0, reply{}, 2)}, true},
		"back": {[]porcupine.Operation{
			op("Set", 1, reply{}, 0), op("Delete", 0, reply{1, true}, 2), op("Get", 0, reply{1, true}, 4),
		}, false},
		"too old": {[]porcupine.Operation{
			{Input: call{do: "GetOrLoad"}, Output: reply{value: 1}, Call: 0, Return: 9, ClientId: 1},
			op("Set", 2, reply{}, 2), op("Get", 0, reply{2, true}, 4), op("Get", 0, reply{1, true}, 12),
		}, false},
	} {
		if got := porcupine.CheckOperations(register.ToModel(), test.history); got != test.want {
			t.Errorf("%s: linearizable is %v, want %v", name, got, test.want)
		}
	}
}
