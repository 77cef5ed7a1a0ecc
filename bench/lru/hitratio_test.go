package lru

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who exceeds the possible counts wrongly.
func TestNoneHitsMoreThanPossible(t *testing.T) {
	cells := compare(generatedLoads(10_000))
	require.NotEmpty(t, cells)
	for _, c := range cells {
		require.Len(t, c.hits, len(contenders))
		for name, hits := range c.hits {
			assert.LessOrEqual(t, hits, c.hits[bestPossible], "%s, %s of %d", c.load.name, name, c.capacity)
		}
	}
}

func TestFiguresOfCells(t *testing.T) {
	cells := []outcome{
		{load: load{name: "a"}, hits: map[string]float64{bestPossible: 50, plainest: 25, ours: 40, "climber": 20, "otter": 10}},
		{load: load{name: "a"}, hits: map[string]float64{bestPossible: 80, plainest: 40, ours: 80, "S3-FIFO": 80, "ristretto": 40}},
		{load: load{name: "b"}, hits: map[string]float64{bestPossible: 10, plainest: 10, ours: 7, "climber": 2, "theine": 8}},
	}
	assert.InDelta(t, (0.9+0.7)/2, meanShare(cells, ours), 1e-9)
	assert.InDelta(t, (0.5+1)/2, meanShare(cells, plainest), 1e-9)
	figures, table := hitRatios(func() []outcome { return cells })
	for i, want := range []float64{80 - 25, 80 - 40, -3} { // S3-FIFO has 25 %, the climber 20; theine 40, the others less
		assert.InDelta(t, want, figures[i].Measure(), 1e-9, figures[i].Name)
	}
	rows := table.Rows()
	require.Len(t, rows, len(cells)+2)
	assert.Equal(t, "**40.00**", rows[1][len(rows[1])-1])
	assert.Equal(t, "0.800", rows[4][len(rows[4])-1])
}

func TestLoads(t *testing.T) {
	for _, l := range generatedLoads(100_000) {
		assert.InDelta(t, 100_000, len(l.keys), 2000, l.name)
		seen := map[int32]bool{}
		for _, k := range l.keys {
			seen[k] = true
		}
		assert.Len(t, seen, l.distinct, l.name)
	}
	freeze := newLoad("", freezing(200_000))
	assert.Equal(t, 100_000, freeze.distinct) // so that 1 % are what it fills at first
	assert.InDelta(t, 0.499, float64(plain(newLRU)(freeze, 1000))/float64(len(freeze.keys)), 0.01)
	assert.Less(t, float64(plain(newSIEVE)(freeze, 1000))/float64(len(freeze.keys)), 0.1)
}

func TestAThousandWaitForOneLoad(t *testing.T) { assert.EqualValues(t, 1, stormFigure().Measure()) }
