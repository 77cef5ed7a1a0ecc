package merkle_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/require"
)

// field is a piece of a message that means something.
type field struct {
	name     string
	from, to int
}

// anatomy takes a message apart.
type anatomy struct {
	t   *testing.T
	b   []byte
	at  int
	all []field
}

func (a *anatomy) next(name string, n int) []byte {
	a.all = append(a.all, field{name, a.at, a.at + n})
	a.at += n
	return a.b[a.at-n : a.at]
}

func (a *anatomy) uvarint(name string) uint64 {
	v, n := binary.Uvarint(a.b[a.at:])
	if n <= 0 {
		a.t.Fatalf("no number at %d of %x", a.at, a.b)
	}
	a.next(name, n)
	return v
}

// fieldsOf returns the fields of an honest message, of an initiator or of a
// responder.
func fieldsOf(t *testing.T, b []byte, opening bool) []field {
	a := &anatomy{t: t, b: b}
	if kind := a.next("kind", 1)[0]; kind <= 2 {
		a.request(kind == 1)
	} else if a.next("echo", 4); kind == 4 {
		a.answer(opening)
	}
	require.Equal(t, len(b), a.at)
	return a.all
}

func (a *anatomy) request(opens bool) {
	a.next("salt", 8)
	a.next("check", 4)
	a.uvarint("max")
	for range a.uvarint("spans") {
		a.next("first", 8)
		a.next("last", 8)
	}
	if opens {
		a.next("tag", 16)
	}
	for a.at < len(a.b) {
		a.next("first of a slice", 8)
		a.next("last of a slice", 8)
		a.next("from", 1)
		a.next("to", 1)
		a.uvarint("parts")
	}
}

func (a *anatomy) answer(opening bool) {
	a.uvarint("max")
	for a.at < len(a.b) {
		a.next("last", 8)
		n := a.uvarint("count")
		a.next("tag", 8)
		m := int(a.next("cells", 1)[0])
		for range m {
			a.next("positions", 8)
			a.next("versions", 8)
			a.next("check", 4)
			a.uvarint("members")
		}
		for i := m; m > 0 && i < 64 && opening; i++ {
			a.uvarint("members to come")
		}
		for i := uint64(0); m == 0 && i < n; i++ {
			a.next("position", 8)
			a.next("version", 8)
		}
	}
}

// lies are ways to change a field. Each returns what stands in its place.
var lies = map[string]func(rng *rand.Rand, b []byte, f field, all []field) []byte{
	"nothing at all": func(*rand.Rand, []byte, field, []field) []byte { return nil },
	"zeros":          func(_ *rand.Rand, _ []byte, f field, _ []field) []byte { return make([]byte, f.to-f.from) },
	"ones": func(_ *rand.Rand, _ []byte, f field, _ []field) []byte {
		return slices.Repeat([]byte{255}, f.to-f.from)
	},
	"one more": func(_ *rand.Rand, b []byte, f field, _ []field) []byte {
		c := slices.Clone(b[f.from:f.to])
		c[0]++
		return c
	},
	"one less": func(_ *rand.Rand, b []byte, f field, _ []field) []byte {
		c := slices.Clone(b[f.from:f.to])
		c[0]--
		return c
	},
	"a bit": func(rng *rand.Rand, b []byte, f field, _ []field) []byte {
		c := slices.Clone(b[f.from:f.to])
		c[rng.IntN(len(c))] ^= 1 << rng.IntN(8)
		return c
	},
	"noise": func(rng *rand.Rand, _ []byte, f field, _ []field) []byte {
		c := make([]byte, f.to-f.from)
		for i := range c {
			c[i] = byte(rng.Uint32())
		}
		return c
	},
	"twice": func(_ *rand.Rand, b []byte, f field, _ []field) []byte {
		return slices.Repeat(b[f.from:f.to], 2)
	},
	"a huge number": func(*rand.Rand, []byte, field, []field) []byte {
		return binary.AppendUvarint(nil, math.MaxUint64>>2)
	},
	"a longer number": func(_ *rand.Rand, b []byte, f field, _ []field) []byte {
		c := slices.Clone(b[f.from:f.to])
		c[len(c)-1] |= 0x80
		return append(c, 0)
	},
	"that of another part": func(rng *rand.Rand, b []byte, f field, all []field) []byte {
		same := slices.DeleteFunc(slices.Clone(all), func(g field) bool { return g.name != f.name })
		g := same[rng.IntN(len(same))]
		return b[g.from:g.to]
	},
	"the end": func(_ *rand.Rand, b []byte, f field, _ []field) []byte { return b[f.from:] },
}

// told changes field f of b by a lie.
func told(rng *rand.Rand, lie string, b []byte, f field, all []field) []byte {
	c := slices.Concat(b[:f.from], lies[lie](rng, b, f, all))
	if lie != "the end" {
		c = append(c, b[f.to:]...)
	} else {
		c = c[:f.from]
	}
	return c
}

// bounded runs a session whose answers pass through change, and demands that it
// ends in an error of ours or in the right result, within the bound of messages.
// If the liar may hide entries of its own, a result without some of them is right.
func bounded(t *testing.T, x *merkle.Tree, r *merkle.Session, want map[uint64]merkle.Diff, hide bool, change func(n int, answer []byte) []byte, what string) {
	t.Helper()
	const most = 4 << 10
	s := must(x.Initiate(merkle.WithMaxMessage(most), merkle.WithMaxDiffs(5000)))
	got := map[uint64]merkle.Diff{}
	var in []byte
	for n := 0; ; n++ {
		require.Less(t, n, 200+2*len(want), what)
		out, done, err := s.Next(nil, in)
		for d := range s.Diffs() {
			got[d.Hash] = d
		}
		if err != nil {
			require.True(t, isOurs(err), "%s: %v", what, err)
			for h, d := range got { // what was found before is true
				if d != want[h] && !(hide && d == hidden(x, h)) {
					t.Fatalf("%s: %#x is %+v, want %+v", what, h, d, want[h])
				}
			}
			return
		}
		if done {
			for h := range union(want, got) {
				if got[h] != want[h] && !(hide && got[h] == hidden(x, h)) {
					t.Fatalf("%s: %#x is %+v, want %+v", what, h, got[h], want[h])
				}
			}
			return
		}
		answer, _, err := r.Next(nil, out)
		require.NoError(t, err)
		in = change(n, answer)
	}
}

// hidden is the difference at h if the other side denies to have an entry there.
func hidden(x *merkle.Tree, h uint64) merkle.Diff {
	if v, ok := x.Get(h); ok {
		return merkle.Diff{Hash: h, Local: v, HasLocal: true}
	}
	return merkle.Diff{}
}

func union(a, b map[uint64]merkle.Diff) map[uint64]merkle.Diff {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// A responder that lies in any one field of any one answer, or in this field of
// all of them, makes the session fail or is found out: the initiator is never led
// to another result. Two lies a responder is free to tell: that all is equal, and,
// by the bounds of parts, that it does not have an entry next to one.
func TestLiesInEveryField(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(41, 42))
	seen := map[string]bool{}
	for _, size := range [][2]int{{3000, 300}, {500, 400}} { // cells, lists
		a, b := replicas(rng, shapes["uniform"], size[0], size[1])
		lieInEveryField(t, rng, treeOf(t, a), treeOf(t, b), difference(a, b), seen)
	}
	for _, name := range []string{"kind", "echo", "max", "last", "count", "tag", "cells", "positions", "versions", "check", "members", "members to come", "position", "version"} {
		require.True(t, seen[name], name)
	}
}

func lieInEveryField(t *testing.T, rng *rand.Rand, x, y *merkle.Tree, want map[uint64]merkle.Diff, seen map[string]bool) {
	r := must(y.Respond(merkle.WithMaxMessage(4 << 10)))
	var honest [][]byte
	bounded(t, x, r, want, false, func(_ int, answer []byte) []byte {
		honest = append(honest, slices.Clone(answer))
		return answer
	}, "honest")
	require.Greater(t, len(honest), 2)
	for _, k := range []int{0, 1, 2, len(honest) - 1} {
		names := map[string]bool{}
		for _, f := range fieldsOf(t, honest[k], k == 0) {
			names[f.name], seen[f.name] = true, true
		}
		for name := range names {
			for lie := range lies {
				if name == "kind" && (lie == "one less" || lie == "noise" || lie == "a bit") {
					continue // "all is equal" is for a liar to say
				}
				for _, always := range []bool{false, true} {
					bounded(t, x, r, want, name == "last", func(n int, answer []byte) []byte {
						if n != k && !always {
							return answer
						}
						all := fieldsOf(t, answer, n == 0)
						same := slices.DeleteFunc(slices.Clone(all), func(g field) bool { return g.name != name })
						if len(same) == 0 {
							return answer
						}
						return told(rng, lie, answer, same[rng.IntN(len(same))], all)
					}, fmt.Sprintf("%s for %s of answer %d (and of all: %t)", lie, name, k, always))
				}
			}
		}
	}
}

// An initiator that lies gets an error or an answer in the bounds.
func TestLiesToAResponder(t *testing.T) {
	rng := rand.New(rand.NewPCG(43, 44))
	a, b := replicas(rng, shapes["uniform"], 3000, 300)
	ranges := merkle.WithRanges(merkle.Range{Start: 1, End: 1 << 62}, merkle.Range{Start: 1 << 63, End: 0})
	for _, opts := range [][]merkle.SessionOption{nil, {ranges}} {
		opts = append(opts, merkle.WithMaxMessage(2<<10))
		x, y := treeOf(t, a), treeOf(t, b)
		r := must(y.Respond(opts...))
		s := must(x.Initiate(opts...))
		var in []byte
		for {
			out, done, err := s.Next(nil, in)
			require.NoError(t, err)
			if done {
				break
			}
			all := fieldsOf(t, out, false)
			for i, f := range all {
				if i > 20 && rng.IntN(10) > 0 {
					continue
				}
				for lie := range lies {
					answer, _, err := r.Next(nil, told(rng, lie, out, f, all))
					require.LessOrEqual(t, len(answer), 2<<10)
					if err != nil {
						require.True(t, isOurs(err), "%v", err)
						require.Empty(t, answer)
					}
				}
			}
			in, _, err = r.Next(nil, out)
			require.NoError(t, err)
		}
	}
}

// A responder that says all is equal hides its data; that costs it one message and
// the initiator nothing.
func TestALiarMayHide(t *testing.T) {
	s := must(few(t, 100).Initiate())
	out, _, err := s.Next(nil, nil)
	require.NoError(t, err)
	_, done, err := s.Next(nil, append([]byte{3}, out[1:5]...))
	require.NoError(t, err)
	require.True(t, done)

	// It cannot say so later, when the initiator knows better.
	s = must(few(t, 1000).Initiate())
	out, _, err = s.Next(nil, nil)
	require.NoError(t, err)
	in, _, err := must(few(t, 2000).Respond()).Next(nil, out)
	require.NoError(t, err)
	out, done, err = s.Next(nil, in)
	require.NoError(t, err)
	require.False(t, done)
	_, _, err = s.Next(nil, append([]byte{3}, out[1:5]...))
	require.ErrorIs(t, err, merkle.ErrCorrupt)
}

// Peers that contradict themselves from message to message never get a session to
// go on for ever, nor more memory than its bounds.
func TestContradictionsEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(45, 46))
	a, _ := replicas(rng, shapes["uniform"], 3000, 0)
	x := treeOf(t, a)
	for _, mostly := range []string{"other trees", "few cells", "invented counts", "old answers"} {
		t.Run(mostly, func(t *testing.T) {
			s := must(x.Initiate(merkle.WithMaxMessage(2 << 10)))
			var in []byte
			var old [][]byte
			for n := 0; ; n++ {
				require.Less(t, n, 20_000)
				out, done, err := s.Next(nil, in)
				for range s.Diffs() {
				}
				if err != nil {
					require.True(t, isOurs(err), "%v", err)
					return
				}
				if done {
					return
				}
				other := twin{}
				for range 3000 {
					other[rng.Uint64()] = rng.Uint64()
				}
				r := must(treeOf(t, other).Respond(merkle.WithMaxMessage(2 << 10)))
				in, _, err = r.Next(nil, out)
				require.NoError(t, err)
				all := fieldsOf(t, in, n == 0)
				switch mostly {
				case "invented counts":
					i := slices.IndexFunc(all, func(f field) bool { return f.name == "count" })
					in = slices.Concat(in[:all[i].from], binary.AppendUvarint(nil, 1<<62), in[all[i].to:])
				case "few cells":
					i := slices.IndexFunc(all, func(f field) bool { return f.name == "cells" })
					if f := all[i]; in[f.from] > 1 && n > 0 {
						j := i + 5
						in = slices.Concat(in[:f.from], []byte{1}, in[f.to:all[j-1].to])
					}
				case "old answers":
					if old = append(old, in); n > 2 && rng.IntN(3) > 0 {
						in = old[rng.IntN(len(old))]
					}
				}
			}
		})
	}
}

// A responder that tells one more cell each time, none of which decodes, reaches
// the bound of messages.
func TestEndlessAnswersReachTheLimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(47, 48))
	s := must(few(t, 1000).Initiate(merkle.WithMaxMessage(1 << 10)))
	out, _, err := s.Next(nil, nil)
	require.NoError(t, err)
	salt := slices.Clone(out[1:5])
	last, messages := uint64(math.MaxUint64), 0
	for ; err == nil; messages++ {
		require.Less(t, messages, 500)
		in := append(append([]byte{4}, salt...), 1)
		in = binary.LittleEndian.AppendUint64(in, last)
		in = binary.AppendUvarint(in, 1<<40)
		in = append(binary.LittleEndian.AppendUint64(in, rng.Uint64()), 1)
		for range 20 {
			in = append(in, byte(rng.Uint32()))
		}
		in = append(in, 1)
		for i := 1; messages == 0 && i < 64; i++ {
			in = append(in, 2)
		}
		if out, _, err = s.Next(nil, in); err == nil {
			all := fieldsOf(t, out, false)
			i := slices.IndexFunc(all, func(f field) bool { return f.name == "last of a slice" })
			parts := slices.IndexFunc(all, func(f field) bool { return f.name == "parts" })
			last = binary.LittleEndian.Uint64(out[all[i].from:])
			if first := binary.LittleEndian.Uint64(out[all[i-1].from:]); out[all[parts].from] > 1 {
				last = first + (last-first)/2
			}
		}
	}
	require.ErrorIs(t, err, merkle.ErrLimit)
	require.Greater(t, messages, 50)
}

// A session of short messages holds little, however much differs.
func TestSessionsHoldLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(49, 50))
	for _, most := range []int{1 << 10, 16 << 10} {
		a, b := replicas(rng, shapes["uniform"], 40_000, 3_000)
		s := must(treeOf(t, a).Initiate(merkle.WithMaxMessage(most)))
		y, peak, found := treeOf(t, b), 0, 0
		respond := func() *merkle.Session {
			peak = max(peak, s.Held())
			return must(y.Respond(merkle.WithMaxMessage(most)))
		}
		var in []byte
		for {
			out, done, err := s.Next(nil, in)
			require.NoError(t, err)
			for range s.Diffs() {
				found++
			}
			if done {
				break
			}
			in, _, err = respond().Next(nil, out)
			require.NoError(t, err)
		}
		require.Equal(t, 3_000, found)
		t.Logf("messages of %d bytes: %d held", most, peak)
		require.LessOrEqual(t, peak, 4*most+4096)
	}
}
