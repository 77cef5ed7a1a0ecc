package ring_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/require"
)

// The stories are told on a small circle of the positions 0 to 255, with tokens
// that the story names: the top byte of the real ones.
func TestStories(t *testing.T) {
	testkit.Stories(t, "testdata/stories/*.txt", func(t *testing.T) func(testkit.Case) string {
		s := &story{t: t, tokens: map[string][]uint64{}}
		return s.tell
	})
}

type story struct {
	t             *testing.T
	tokens        map[string][]uint64
	before, after *ring.Ring
}

func (s *story) tell(c testkit.Case) string {
	n := c.Int(s.t, "n", 1)
	switch c.Cmd {
	case "ring":
		r, err := ring.New(s.nodes(c.Input), ring.WithTokens(s.lookup))
		require.NoError(s.t, err, c.Pos)
		s.before, s.after = r, r
		return s.circle()
	case "add":
		return s.change(func() (*ring.Ring, error) { return s.after.Add(s.nodes(c.Input)...) })
	case "remove":
		return s.change(func() (*ring.Ring, error) { return s.after.Remove(c.Args...) })
	case "owners":
		return s.each(c.Input, func(key uint64) []string { return s.after.AppendOwnersHash(nil, key, n) })
	case "up":
		return s.each(c.Input, func(key uint64) []string { return s.up(key, n, strings.Split(c.Get("down"), ",")) })
	case "modulo":
		return s.each(c.Input, func(key uint64) []string {
			return []string{fmt.Sprintf("%d mod %d = %d", key>>56, n, key>>56%uint64(n))}
		})
	case "moves":
		return s.moves(n)
	case "ranges":
		var lines []string
		for _, id := range s.ids() {
			lines = append(lines, fmt.Sprintf("%s %4.1f %%: %s", id, 100*s.after.Share(id, n), s.ranges(id, n)))
		}
		return strings.Join(lines, "\n")
	}
	s.t.Fatalf("%s: unknown command %s", c.Pos, c.Cmd)
	return ""
}

// nodes reads lines of an ID, a zone as zone=..., and positions.
func (s *story) nodes(input string) []ring.Node {
	var nodes []ring.Node
	for line := range strings.Lines(input) {
		words := strings.Fields(line)
		n := ring.Node{ID: words[0]}
		var tokens []uint64
		for _, w := range words[1:] {
			if zone, ok := strings.CutPrefix(w, "zone="); ok {
				n.Zone = zone
				continue
			}
			tokens = append(tokens, s.position(w))
		}
		s.tokens[n.ID] = tokens
		nodes = append(nodes, n)
	}
	return nodes
}

func (s *story) position(word string) uint64 {
	p, err := strconv.ParseUint(word, 10, 8)
	require.NoError(s.t, err)
	return p << 56
}

func (s *story) lookup(dst []uint64, n ring.Node, _ int) []uint64 {
	return append(dst, s.tokens[n.ID]...)
}

func (s *story) change(f func() (*ring.Ring, error)) string {
	r, err := f()
	require.NoError(s.t, err)
	s.before, s.after = s.after, r
	return s.circle()
}

// circle draws the ring as a line of positions, 4 a character, with the first
// letter of the node whose token is there.
func (s *story) circle() string {
	line := []byte(strings.Repeat(".", 64))
	var list []string
	for token, n := range s.after.Tokens() {
		line[token>>58] = n.ID[0]
		list = append(list, fmt.Sprintf("%s %d", n.ID, token>>56))
	}
	return fmt.Sprintf("0 %s 255\n%s", line, strings.Join(list, ", "))
}

func (s *story) each(input string, list func(key uint64) []string) string {
	var lines []string
	for line := range strings.Lines(input) {
		for w := range strings.FieldsSeq(line) {
			lines = append(lines, fmt.Sprintf("key at %s: %s", w, strings.Join(list(s.position(w)), " ")))
		}
	}
	return strings.Join(lines, "\n")
}

// up lists the n nodes that hold a key's copies while some are down: owners, and
// stand-ins with a hint to whom the copy belongs.
func (s *story) up(key uint64, n int, down []string) []string {
	var holders, missing []string
	owners := s.after.AppendOwnersHash(nil, key, n)
	for _, id := range owners {
		if slices.Contains(down, id) {
			missing = append(missing, id)
		}
	}
	for node := range s.after.Walk(key) {
		switch {
		case len(holders) == n:
			return holders
		case slices.Contains(down, node.ID):
		case slices.Contains(owners, node.ID):
			holders = append(holders, node.ID)
		default:
			holders = append(holders, node.ID+"(hint: "+missing[0]+")")
			missing = missing[1:]
		}
	}
	return holders
}

func (s *story) moves(n int) string {
	moves, err := ring.Moves(s.before, s.after, n)
	require.NoError(s.t, err)
	var lines []string
	part := 0.0
	for m := range moves {
		part += float64(m.Range.End-m.Range.Start) / math.Exp2(64)
		lines = append(lines, fmt.Sprintf("%s: %s -> %s (to %s, from %s)", arc(m.Range),
			strings.Join(m.From, " "), strings.Join(m.To, " "), strings.Join(m.Gained(), " "), strings.Join(m.Lost(), " ")))
	}
	return strings.Join(append(lines, fmt.Sprintf("%.1f %% of the circle changes", 100*part)), "\n")
}

func (s *story) ids() []string {
	var ids []string
	for i := range s.after.Len() {
		ids = append(ids, s.after.Node(i).ID)
	}
	return ids
}

func (s *story) ranges(id string, n int) string {
	var list []string
	for r := range s.after.Ranges(id, n) {
		list = append(list, arc(r))
	}
	return strings.Join(list, " ")
}

func arc(r ring.Range) string { return fmt.Sprintf("(%d, %d]", r.Start>>56, r.End>>56) }
