package vclock_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

func member(t testing.TB, id string, limit int) *vclock.Causal[string] {
	c, err := vclock.NewCausal[string](id, limit)
	require.NoError(t, err)
	return c
}

// parcel is a broadcast message, with the set of messages that its sender had
// sent or delivered before.
type parcel struct {
	from  string
	stamp vclock.Clock
	text  string
	past  map[string]bool
}

// slowCausal is the obvious receiver: it looks through all that wait, again and
// again, and asks the sets.
type slowCausal struct {
	done map[string]bool
	wait []parcel
}

func (s *slowCausal) receive(p parcel) []string {
	if s.done[p.text] || slices.ContainsFunc(s.wait, func(w parcel) bool { return w.text == p.text }) {
		return nil
	}
	s.wait = append(s.wait, p)
	var out []string
	for again := true; again; {
		again = false
		for i, w := range s.wait {
			ready := true
			for q := range w.past {
				ready = ready && s.done[q]
			}
			if ready {
				s.done[w.text] = true
				out = append(out, w.text)
				s.wait = slices.Delete(s.wait, i, i+1)
				again = true
				break
			}
		}
	}
	return out
}

// Members broadcast over a network that delays, reorders and repeats. Each
// delivers every message once, none before one that its sender had seen, and as
// soon as it can.
func TestCausalDelivery(t *testing.T) {
	for run := range 40 {
		rng := rand.New(rand.NewPCG(12, uint64(run)))
		n := 2 + rng.IntN(4)
		members := make([]*vclock.Causal[string], n)
		twins := make([]*slowCausal, n)
		inbox := make([][]parcel, n)
		for i := range members {
			members[i] = member(t, fmt.Sprint("m", i), 1000)
			twins[i] = &slowCausal{done: map[string]bool{}}
		}
		sent := 0
		pasts := map[string]map[string]bool{}
		delivered := make([]map[string]bool, n)
		for i := range delivered {
			delivered[i] = map[string]bool{}
		}
		arrive := func(i int) {
			k := rng.IntN(len(inbox[i]))
			p := inbox[i][k]
			if rng.IntN(4) > 0 { // else it will come again
				inbox[i] = slices.Delete(inbox[i], k, k+1)
			}
			got, err := members[i].Receive(p.from, p.stamp, p.text)
			require.NoError(t, err)
			want := twins[i].receive(p)
			require.ElementsMatch(t, want, got)
			for _, text := range got {
				for before := range pasts[text] {
					require.True(t, delivered[i][before], "%s comes after %s", text, before)
				}
				delivered[i][text] = true
			}
			require.Equal(t, len(twins[i].wait), members[i].Len())
		}
		for range 150 {
			i := rng.IntN(n)
			if rng.IntN(3) > 0 && len(inbox[i]) > 0 {
				arrive(i)
				continue
			}
			p := parcel{fmt.Sprint("m", i), members[i].Send(), fmt.Sprint("message ", sent), maps.Clone(twins[i].done)}
			sent++
			pasts[p.text], delivered[i][p.text] = p.past, true
			twins[i].done[p.text] = true
			for j := range inbox {
				if j != i {
					inbox[j] = append(inbox[j], p)
				}
			}
		}
		for i := range inbox {
			for len(inbox[i]) > 0 {
				arrive(i)
			}
			require.Zero(t, members[i].Len())
			require.Zero(t, members[i].Awaited())
			require.Len(t, twins[i].done, sent)
			require.Equal(t, members[0].Clock(), members[i].Clock())
			check(t, members[i].Clock())
		}
	}
}

// Order within what is delivered at once.
func TestCausalOrder(t *testing.T) {
	a, b, c := member(t, "a", 10), member(t, "b", 10), member(t, "c", 10)
	question := a.Send()
	got, err := b.Receive("a", question, "question")
	require.NoError(t, err)
	require.Equal(t, []string{"question"}, got)
	answer := b.Send()
	second := b.Send()

	for _, m := range []struct {
		stamp vclock.Clock
		text  string
	}{{second, "second"}, {answer, "answer"}, {second, "second"}, {answer, "answer"}} {
		got, err = c.Receive("b", m.stamp, m.text)
		require.NoError(t, err)
		require.Empty(t, got)
	}
	require.Equal(t, 2, c.Len())
	got, err = c.Receive("a", question, "question")
	require.NoError(t, err)
	require.Equal(t, []string{"question", "answer", "second"}, got)
	require.Zero(t, c.Len())
	got, err = c.Receive("a", question, "question")
	require.NoError(t, err)
	require.Empty(t, got, "a duplicate")
	got, err = a.Receive("a", question, "my own")
	require.NoError(t, err)
	require.Empty(t, got, "an echo")
}

// A full buffer refuses what would have to wait and takes what need not. Who is
// refused comes again.
func TestCausalIsBounded(t *testing.T) {
	a, b, c := member(t, "a", 1), member(t, "b", 1), member(t, "c", 2)
	var stamps []vclock.Clock
	for range 4 {
		stamps = append(stamps, a.Send())
	}
	for i := 3; i >= 2; i-- {
		got, err := c.Receive("a", stamps[i], fmt.Sprint(i))
		require.NoError(t, err)
		require.Empty(t, got)
	}
	got, err := c.Receive("a", stamps[1], "1")
	require.ErrorIs(t, err, vclock.ErrFull)
	require.EqualError(t, err, `vclock: buffer is full: message 2 of "a" would have to wait as 2 do`)
	require.Empty(t, got)
	require.Equal(t, 2, c.Len())
	_, err = c.Receive("a", stamps[3], "3")
	require.NoError(t, err, "it waits already")

	got, err = c.Receive("b", b.Send(), "b")
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, got, "the gap of a is no concern of b")
	got, err = c.Receive("a", stamps[0], "0")
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, got)
	got, err = c.Receive("a", stamps[1], "1")
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, got)
}

// Stamps that no member made.
func TestCausalRefusesForgeries(t *testing.T) {
	c := member(t, "c", 10)
	c.Send()
	_, err := c.Receive("a", twin{"b": 1}.clock(t), "x")
	require.EqualError(t, err, `vclock: stamp {"b":1} does not count the message of "a"`)
	_, err = c.Receive("a", twin{"a": 1, "c": 2}.clock(t), "x")
	require.EqualError(t, err, `vclock: stamp counts 2 messages of "c", which has sent 1`)
	_, err = c.Receive("c", twin{"c": 2}.clock(t), "x")
	require.Error(t, err, "a message of its own that it never sent")
	require.Zero(t, c.Len())
	require.Equal(t, `{"c":1}`, c.Clock().String())

	// A sequence from nowhere waits and harms nobody.
	got, err := c.Receive("a", twin{"a": 1 << 62}.clock(t), "far")
	require.NoError(t, err)
	require.Empty(t, got)
	got, err = c.Receive("b", twin{"b": 1}.clock(t), "near")
	require.NoError(t, err)
	require.Equal(t, []string{"near"}, got)
}

// Ten thousand messages in reverse take as many steps, not their square.
func TestCausalReverse(t *testing.T) {
	const n = 10_000
	a, b := member(t, "a", 1), member(t, "b", n)
	stamps := make([]vclock.Clock, n)
	for i := range stamps {
		stamps[i] = a.Send()
	}
	for i := n - 1; i > 0; i-- {
		got, err := b.Receive("a", stamps[i], fmt.Sprint(i))
		require.True(t, err == nil && len(got) == 0)
	}
	got, err := b.Receive("a", stamps[0], "0")
	require.NoError(t, err)
	require.Len(t, got, n)
	for i, text := range got {
		require.Equal(t, fmt.Sprint(i), text)
	}
	require.Zero(t, b.Len())
}

func TestNewCausalRefuses(t *testing.T) {
	for _, c := range []struct {
		id    string
		limit int
		want  string
	}{
		{"", 1, "vclock: id is empty, want a name"},
		{strings.Repeat("k", 1025), 1, "has 1025 bytes, want at most 1024"},
		{"a", 0, "vclock: number of messages that may wait is 0, want at least 1"},
		{"a", -1, "vclock: number of messages that may wait is -1, want at least 1"},
	} {
		got, err := vclock.NewCausal[int](c.id, c.limit)
		require.ErrorContains(t, err, c.want)
		require.Nil(t, got)
	}
}

func TestZeroCausal(t *testing.T) {
	var c vclock.Causal[int]
	require.Equal(t, vclock.Clock{}, c.Clock())
	require.Zero(t, c.Len())
	const want = "vclock: the zero Causal has no id; make one with NewCausal"
	require.PanicsWithValue(t, want, func() { c.Send() })
	require.PanicsWithValue(t, want, func() { _, _ = c.Receive("a", vclock.Clock{}, 1) })
}

// Goroutines hand messages in; each is delivered to exactly one of them.
func TestCausalConcurrent(t *testing.T) {
	const senders, each = 4, 200
	receiver := member(t, "r", senders*each)
	inbox := make(chan parcel, senders*each)
	for s := range senders {
		from := fmt.Sprint("s", s)
		c := member(t, from, 1)
		for i := range each {
			inbox <- parcel{from: from, stamp: c.Send(), text: fmt.Sprint(from, " ", i)}
		}
	}
	close(inbox)
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for p := range inbox {
				got, err := receiver.Receive(p.from, p.stamp, p.text)
				if err != nil {
					t.Error(err)
				}
				receiver.Clock()
				receiver.Len()
				mu.Lock()
				for _, text := range got {
					seen[text]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, senders*each)
	require.Zero(t, receiver.Len())
	for text, n := range seen {
		require.Equal(t, 1, n, text)
	}
}
