package tinylfu_test

import (
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/internal/tinylfu"
	"github.com/stretchr/testify/require"
)

// twin is the sketch as one would draw it: counters by block, row and column.
type twin struct {
	n, additions int
	seed         uint64
	cells        [][4][32]uint8
}

func newTwin(n int, seed uint64) *twin {
	t := &twin{seed: seed}
	t.resize(n)
	return t
}

// columns returns the block of a key and its column in each row.
func (t *twin) columns(h uint64) (block int, columns [4]int) {
	x := hash64.Mix(h, t.seed)
	for row := range columns {
		columns[row] = int(x >> (32 + 8*row) % 32)
	}
	return int(x % uint64(len(t.cells))), columns
}

func (t *twin) touch(h uint64) {
	block, columns := t.columns(h)
	added := false
	for row, column := range columns {
		if c := &t.cells[block][row][column]; *c < 15 {
			*c++
			added = true
		}
	}
	if added {
		t.additions++
	}
	t.age()
}

func (t *twin) estimate(h uint64) uint8 {
	block, columns := t.columns(h)
	least := uint8(15)
	for row, column := range columns {
		least = min(least, t.cells[block][row][column])
	}
	return least
}

func (t *twin) age() {
	for t.additions >= 10*t.n {
		odd := 0
		for b := range t.cells {
			for row := range 4 {
				for column := range 32 {
					odd += int(t.cells[b][row][column]) % 2
					t.cells[b][row][column] /= 2
				}
			}
		}
		t.additions = max(t.additions-odd/4, 0) / 2
	}
}

func (t *twin) resize(n int) {
	t.n = max(n, 8)
	words := 8
	for words < n {
		words *= 2
	}
	old := t.cells
	t.cells = make([][4][32]uint8, words/8)
	for b := range max(len(old), len(t.cells)) {
		if len(old) == 0 {
			break
		}
		from, to := old[b%len(old)], &t.cells[b%len(t.cells)]
		for row := range 4 {
			for column := range 32 {
				to[row][column] = max(to[row][column], from[row][column])
			}
		}
	}
	t.age()
}

// Every estimate is the twin's, through halvings and changes of size.
func TestAgainstTwin(t *testing.T) {
	for seed := range uint64(4) {
		s, slow := tinylfu.New(100, seed), newTwin(100, seed)
		next := testkit.Zipf(seed, 0.9, 1000)
		for i := range 30_000 {
			h := next()
			switch {
			case i%1500 == 1499:
				n := []int{0, 1, 8, 9, 63, 64, 65, 500, 100}[i/1500%9]
				s.Resize(n)
				slow.resize(n)
				require.Equal(t, 64*len(slow.cells), s.SizeBytes())
			case i == 20_000:
				s.Reset()
				slow.cells, slow.additions = make([][4][32]uint8, len(slow.cells)), 0
			case i%3 == 0:
				require.Equal(t, slow.estimate(h), s.Estimate(h), "step %d", i)
			default:
				s.Touch(h)
				slow.touch(h)
			}
		}
		for h := range uint64(1000) {
			require.Equal(t, slow.estimate(h), s.Estimate(h))
		}
	}
}
