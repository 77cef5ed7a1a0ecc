package bar

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// spin is a side whose operation takes rounds multiplications.
func spin(impl string, rounds int) Side {
	return Side{impl, func() func(int) uint64 {
		return func(n int) uint64 {
			x := uint64(1)
			for range n * rounds {
				x = x*6364136223846793005 + 1442695040888963407
			}
			return x
		}
	}}
}

func TestTableTellsPassFromShort(t *testing.T) {
	s := Suite{
		Package: "spin",
		Bars: []Bar{
			{Name: "eight times less", Ours: spin("ours", 100), Peer: spin("peer", 800), Limit: 0.5},
			{Name: "eight times more", Ours: spin("ours", 800), Peer: spin("peer", 100), Limit: 0.5},
			{Name: "not selected", Ours: spin("ours", 800), Peer: spin("peer", 100), Limit: 0.5},
		},
		Figures: []Figure{
			{Name: "small enough", Unit: "B", Limit: 2, Measure: func() float64 { return 1 }},
			{Name: "not large enough", Unit: "%", Limit: 2, AtLeast: true, Measure: func() float64 { return 1 }},
		},
	}
	var out bytes.Buffer
	if short := Run(&out, s, regexp.MustCompile("less|more|enough"), 3); short != 2 {
		t.Errorf("%d short, want 2", short)
	}
	for _, line := range []string{"small enough | 1 B | | | ≤ 2 B | pass", "not large enough | 1 % | | | ≥ 2 % | **short**"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %q", line)
		}
	}
	if strings.Contains(out.String(), "not selected") {
		t.Error("a bar ran that was not selected")
	}
	t.Log(out.String())
}

func TestTables(t *testing.T) {
	rows := func() [][]string { return [][]string{{"what", "n"}, {"a", "1"}} }
	s := Suite{Package: "tables", Tables: []Table{{"shown", rows}, {"not selected", rows}}}
	var out bytes.Buffer
	Run(&out, s, regexp.MustCompile("shown"), 1)
	if want := "\n#### shown\n\n| what | n |\n|---|---|\n| a | 1 |\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("printed %q, want %q at the end", out.String(), want)
	}
}

func TestAllocationsCount(t *testing.T) {
	hungry := Side{"hungry", func() func(int) uint64 {
		return func(n int) uint64 {
			var total uint64
			for i := range n {
				b := make([]byte, 64+i%2)
				sinkBytes = b
				total += uint64(len(b))
			}
			return total
		}
	}}
	b := Bar{Name: "allocs", Ours: hungry, Plus: 1e9}
	if c := b.measure(1); b.passes(c) || c.allocs < 0.9 {
		t.Errorf("%v allocations an operation pass a bar of 0", c.allocs)
	}
	b.Allocs = 1
	if c := b.measure(1); !b.passes(c) {
		t.Errorf("%v allocations an operation fail a bar of 1", c.allocs)
	}
}

var sinkBytes []byte
