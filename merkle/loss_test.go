package merkle_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/require"
)

// carry runs an initiator against responders that respond picks, one a message.
// lost says whether a message, counted from 0 in both directions, is lost. It
// returns what was found, each once, and the number of messages that were sent.
func carry(t *testing.T, s *merkle.Session, most int, respond func() *merkle.Session, lost func(n int) bool) (map[uint64]merkle.Diff, int) {
	t.Helper()
	found := map[uint64]merkle.Diff{}
	var in []byte
	for n := 0; ; {
		out, done, err := s.Next(nil, in)
		require.NoError(t, err)
		for d := range s.Diffs() {
			if _, ok := found[d.Hash]; ok {
				t.Fatalf("%+v twice", d)
			}
			found[d.Hash] = d
		}
		if len(out) == 0 {
			require.True(t, done)
			return found, n
		}
		require.LessOrEqual(t, len(out), most)
		n++
		in = nil // what a time-out makes of a lost message
		if lost(n - 1) {
			continue
		}
		answer, _, err := respond().Next(nil, out)
		require.NoError(t, err)
		require.LessOrEqual(t, len(answer), most)
		if n++; !lost(n - 1) {
			in = answer
		}
	}
}

// Whichever message is lost, in either direction, the session goes on by Next with
// nil; the answers may come from any replica with the same rows.
func TestAnyMessageMayBeLost(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for _, d := range []int{0, 5, 400} {
		a, b := replicas(rng, shapes["uniform"], 3000, d)
		x, peers := treeOf(t, a), []*merkle.Tree{treeOf(t, b), treeOf(t, b, merkle.WithoutSketches())}
		for _, most := range []int{1 << 10, 64 << 10} {
			turn := 0
			respond := func() *merkle.Session {
				turn++
				return must(peers[turn%2].Respond(merkle.WithMaxMessage(most)))
			}
			initiate := func() *merkle.Session { return must(x.Initiate(merkle.WithMaxMessage(most))) }
			want, total := carry(t, initiate(), most, respond, func(int) bool { return false })
			require.Equal(t, difference(a, b), want)
			for k := range min(total, 40) {
				got, n := carry(t, initiate(), most, respond, func(n int) bool { return n == k })
				require.Equal(t, want, got, "message %d of %d", k, total)
				require.Equal(t, total+1+(k&1), n, "one message repeated, or with it the answer")
			}
			got, _ := carry(t, initiate(), most, respond, func(int) bool { return rng.IntN(3) == 0 })
			require.Equal(t, want, got)
		}
	}
}

// An answer that comes again, late, is refused or does no harm.
func TestAnswersMayComeTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	for range 30 {
		a, b := replicas(rng, shapes["uniform"], 3000, rng.IntN(500))
		x, y := treeOf(t, a), treeOf(t, b)
		s, r := must(x.Initiate(merkle.WithMaxMessage(4<<10))), must(y.Respond())
		var answers [][]byte
		found := map[uint64]merkle.Diff{}
		var in []byte
		for {
			out, _, err := s.Next(nil, in)
			require.NoError(t, err)
			for len(answers) > 0 && rng.IntN(2) == 0 {
				again, done, err := s.Next(nil, answers[rng.IntN(len(answers))])
				if err != nil {
					require.ErrorIs(t, err, merkle.ErrCorrupt)
					continue
				}
				if out = again; done {
					break
				}
			}
			for d := range s.Diffs() {
				if _, ok := found[d.Hash]; ok {
					t.Fatalf("%+v twice", d)
				}
				found[d.Hash] = d
			}
			if len(out) == 0 {
				break
			}
			in, _, err = r.Next(nil, out)
			require.NoError(t, err)
			answers = append(answers, in)
		}
		require.Equal(t, difference(a, b), found)
	}
}

// Rows that change on the responder's side meanwhile may be found or not; all
// others that differ are.
func TestResponderMayMoveOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(35, 36))
	for range 8 {
		a, b := replicas(rng, shapes["uniform"], 5000, 600)
		want := difference(a, b)
		x, y := treeOf(t, a), treeOf(t, b)
		moved := map[uint64]bool{}
		respond := func() *merkle.Session {
			s := must(y.Respond(merkle.WithMaxMessage(8 << 10)))
			for range 20 { // after this message
				h := rng.Uint64()
				y.PutHash(h, 1)
				moved[h] = true
			}
			return s
		}
		s := must(x.Initiate(merkle.WithMaxMessage(8 << 10)))
		got, _ := carry(t, s, 8<<10, respond, func(int) bool { return false })
		for h := range union(want, got) {
			if !moved[h] && got[h] != want[h] {
				t.Fatalf("%#x is %+v, want %+v", h, got[h], want[h])
			}
		}
	}
}

// The shortest messages carry the most ranges that they may, and the longest
// requests.
func TestTinyMessages(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 38))
	a, b := replicas(rng, shapes["uniform"], 3000, 1500)
	x, y := treeOf(t, a), treeOf(t, b)
	for _, n := range []int{1, 15, 31, 32} {
		most := 1 << 10
		rs := make([]merkle.Range, n)
		for i := range rs {
			rs[i].Start = uint64(i) * (math.MaxUint64 / uint64(n))
			rs[i].End = rs[i].Start + math.MaxUint64/uint64(2*n)
		}
		opts := []merkle.SessionOption{merkle.WithRanges(rs...), merkle.WithMaxMessage(most)}
		want := difference(a, b)
		for h := range want {
			in := false
			for _, r := range rs {
				in = in || r.Contains(h)
			}
			if !in {
				delete(want, h)
			}
		}
		got, _ := carry(t, must(x.Initiate(opts...)), most, func() *merkle.Session { return must(y.Respond(opts...)) }, func(int) bool { return false })
		require.Equal(t, want, got)
		// The side that accepts less decides for both.
		got, _ = carry(t, must(x.Initiate(merkle.WithRanges(rs...))), most, func() *merkle.Session { return must(y.Respond(opts...)) },
			func(int) bool { return false })
		require.Equal(t, want, got)
		got, _ = carry(t, must(x.Initiate(opts...)), most, func() *merkle.Session { return must(y.Respond()) },
			func(int) bool { return false })
		require.Equal(t, want, got)
	}
	rs := make([]merkle.Range, 33)
	for i := range rs {
		rs[i] = merkle.Range{Start: uint64(i) << 40, End: uint64(i)<<40 + 5}
	}
	_, err := x.Initiate(merkle.WithRanges(rs...), merkle.WithMaxMessage(1<<10))
	require.ErrorIs(t, err, merkle.ErrLimit)
	require.EqualError(t, err, fmt.Sprintf("merkle: 33 ranges in messages of 1024 bytes, want at most 32: %v", merkle.ErrLimit))
	_, err = x.Initiate(merkle.WithRanges(rs...))
	require.NoError(t, err)
}
