package lru

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/require"
)

var errLost = errors.New("the store is away")

// slow is a Store whose calls take their time before and after their effect, and
// fail before or after it.
type slow struct {
	mu     sync.Mutex
	values map[int]int
	fails  float64
}

func (s *slow) call(effect func()) error {
	pause()
	if rand.Float64() < s.fails {
		return errLost
	}
	s.mu.Lock()
	effect()
	s.mu.Unlock()
	pause()
	if rand.Float64() < s.fails {
		return errLost
	}
	return nil
}

func pause() {
	if n := rand.IntN(4); n > 0 {
		time.Sleep(time.Duration(n) * 20 * time.Microsecond)
	}
}

func (s *slow) Load(_ context.Context, key int) (v int, err error) {
	ok := false
	if err := s.call(func() { v, ok = s.values[key] }); err != nil {
		return 0, err
	}
	if !ok {
		return 0, lru.ErrNotFound
	}
	return v, nil
}

func (s *slow) Save(_ context.Context, key, value int) error {
	return s.call(func() { s.values[key] = value })
}

func (s *slow) Delete(_ context.Context, key int) error {
	return s.call(func() { delete(s.values, key) })
}

func (s *slow) LoadAll(_ context.Context, keys []int) (map[int]int, error) {
	m := map[int]int{}
	return m, s.call(func() {
		for _, key := range keys {
			if v, ok := s.values[key]; ok {
				m[key] = v
			}
		}
	})
}

func (s *slow) SaveAll(_ context.Context, m map[int]int) error {
	return s.call(func() {
		for key, value := range m {
			s.values[key] = value
		}
	})
}

// access is what a client does to a key: it writes a value, 0 to delete it, or reads.
type access struct {
	key, value int
	write      bool
}

// cell is the model: each key is a register of its own.
var cell = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[int][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(access).key
			byKey[key] = append(byKey[key], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, in, out any) (bool, any) {
		if in := in.(access); in.write {
			return true, in.value
		}
		return out == state, state
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprint(in, " ", out) },
}

// player is a client of a Backed that notes what it does.
type player struct {
	id      int
	r       *rand.Rand
	c       *lru.Backed[int, int]
	begun   time.Time
	history []porcupine.Operation
}

func (p *player) now() int64 { return int64(time.Since(p.begun)) }

func (p *player) note(in access, out int, call, end int64) {
	p.history = append(p.history, porcupine.Operation{ClientId: p.id, Input: in, Output: out, Call: call, Return: end})
}

func (p *player) play(t *testing.T, steps int) {
	ctx := context.Background()
	for i := range steps {
		key := p.r.IntN(3)
		call := p.now()
		switch p.r.IntN(8) {
		case 0, 1, 2:
			v, err := p.c.Get(ctx, key)
			if err == nil || errors.Is(err, lru.ErrNotFound) {
				p.note(access{key: key}, v, call, p.now())
			}
		case 3:
			got, err := p.c.GetMany(ctx, []int{0, 1, 2})
			end := p.now()
			for key := range 3 {
				if v, ok := got[key]; ok || err == nil {
					p.note(access{key: key}, v, call, end)
				}
			}
		case 4, 5:
			value := 1 + p.id*steps + i
			p.wrote(t, access{key, value, true}, call, p.c.Set(ctx, key, value))
		case 6:
			p.wrote(t, access{key, 0, true}, call, p.c.Delete(ctx, key))
		case 7:
			p.c.Invalidate(key)
		}
	}
}

// wrote notes a write. One that failed may have its effect at any time.
func (p *player) wrote(t *testing.T, in access, call int64, err error) {
	end := p.now()
	if err != nil {
		require.ErrorIs(t, err, errLost)
		end = math.MaxInt64
	}
	p.note(in, 0, call, end)
}

// TestBackedIsLinearizable: whatever is loaded, evicted, refreshed or flushed
// between, each key behaves as one register.
func TestBackedIsLinearizable(t *testing.T) {
	for _, mode := range []lru.WriteMode{lru.WriteThrough, lru.WriteAround, lru.WriteBehind} {
		for _, fails := range []float64{0, 0.1} {
			t.Run(fmt.Sprintf("%v/fails=%v", mode, fails), func(t *testing.T) {
				for round := range uint64(8) {
					b := lru.Backing[int]{Writes: mode, NegativeTTL: time.Millisecond, RefreshAhead: 200 * time.Microsecond}
					if mode == lru.WriteBehind {
						b.FlushInterval, b.DirtyLimit = 300*time.Microsecond, 2
					}
					s := &slow{values: map[int]int{}, fails: fails}
					c := check(lru.NewBacked(2, s, b, lru.WithTTL(time.Millisecond)))
					begun := time.Now()
					players := make([]player, 5)
					var group sync.WaitGroup
					for i := range players {
						players[i] = player{id: i, r: rand.New(rand.NewPCG(round, uint64(i))), c: c, begun: begun}
						group.Go(func() { players[i].play(t, 60) })
					}
					group.Wait()
					require.NoError(t, c.Close(context.Background()))
					var history []porcupine.Operation
					for i := range players {
						history = append(history, players[i].history...)
					}
					for key := range 3 { // what the Store holds in the end
						v := s.values[key]
						history = append(history, porcupine.Operation{ClientId: len(players), Input: access{key: key}, Output: v, Call: players[0].now(), Return: players[0].now() + 1})
					}
					require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(cell, history, 20*time.Second))
				}
			})
		}
	}
}

// TestTheRegisters: porcupine finds a stale read of a key, and tells keys apart.
func TestTheRegisters(t *testing.T) {
	op := func(in access, out int, call, end int64) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: call, Return: end}
	}
	one, other := op(access{1, 1, true}, 0, 0, 1), op(access{2, 2, true}, 0, 2, 3)
	require.True(t, porcupine.CheckOperations(cell, []porcupine.Operation{one, other, op(access{key: 1}, 1, 4, 5)}))
	require.False(t, porcupine.CheckOperations(cell, []porcupine.Operation{one, other, op(access{key: 1}, 0, 4, 5)}))
	require.False(t, porcupine.CheckOperations(cell, []porcupine.Operation{one, other, op(access{key: 2}, 1, 4, 5)}))
}
