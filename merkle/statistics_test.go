package merkle_test

import (
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// apart returns two trees of random entries that differ in d of them, of which
// ours lie on the first side.
func apart(t *testing.T, rng *rand.Rand, ours, d int) (a, b *merkle.Tree) {
	a, b = newTree(t), newTree(t)
	for i := range d {
		if i < ours {
			a.PutHash(rng.Uint64(), rng.Uint64())
		} else {
			b.PutHash(rng.Uint64(), rng.Uint64())
		}
	}
	return a, b
}

// The cells that it takes to decode, for each difference: 1.35 at the limit of many
// differences (Yang, Gilad and Alizadeh), some more of few.
func TestCellsPerDifference(t *testing.T) {
	const trials = 200
	for d, most := range map[int]float64{1: 1, 4: 1.9, 10: 1.85, 20: 1.75, 30: 1.7} {
		rng := rand.New(rand.NewPCG(51, uint64(d)))
		sum := 0
		for range trials {
			a, b := apart(t, rng, d/3, d)
			n := 1
			for n < 64 && !merkle.Decodes(a, b, n) {
				n++
			}
			sum += n
		}
		mean := float64(sum) / float64(trials*d)
		t.Logf("%d differences: %.2f cells each", d, mean)
		assert.GreaterOrEqual(t, mean, 1.0)
		assert.LessOrEqual(t, mean, most)
	}
}

// Two entries of the same 64 cells do not come apart: that is what mostly keeps
// 64 cells from decoding a few entries, and it happens to a pair with chance q, the
// product of p^2 + (1-p)^2 for p = 1/(1+i/2), which is 9.25e-6.
func TestSketchesFailAsRarelyAsPairsCoincide(t *testing.T) {
	rng := rand.New(rand.NewPCG(53, 54))
	q := 1.0
	for i := range 64 {
		p := 2 / float64(i+2)
		q *= p*p + (1-p)*(1-p)
	}
	assert.InDelta(t, 9.25e-6, q, 1e-8)
	const trials, d = 10_000, 16
	failed := 0
	for range trials {
		if a, b := apart(t, rng, d/2, d); !merkle.Decodes(a, b, 64) {
			failed++
		}
	}
	rate := float64(failed) / trials
	lo, hi := testkit.RateBounds(q*d*(d-1)/2, trials, 5)
	t.Logf("%d of %d fail: %.2g, pairs coincide in %.2g", failed, trials, rate, q*d*(d-1)/2)
	assert.GreaterOrEqual(t, rate, max(0, lo))
	assert.LessOrEqual(t, rate, hi)
}

// An estimate deviates by sqrt(2/63), 18%, from 64 counts, as the mean of 63 squares
// of a normal variable does, and by no factor beyond 2.5 in 99 of 100 cases.
func TestEstimates(t *testing.T) {
	testkit.NotUnderRace(t)
	const trials = 1000
	for _, d := range []int{40, 300} {
		for cells, most := range map[int]float64{64: 0.21, 32: 0.30} {
			rng := rand.New(rand.NewPCG(uint64(d), uint64(cells)))
			var ratios []float64
			good := 0
			for range trials {
				a, b := apart(t, rng, rng.IntN(d), d)
				r := float64(merkle.Estimate(a, b, cells)) / float64(d)
				if ratios = append(ratios, r); 0.4 <= r && r <= 2.5 {
					good++
				}
			}
			mean, sd := testkit.MeanSD(ratios)
			t.Logf("%d differences, %d counts: mean %.3f, deviation %.3f, %d of %d within [0.4, 2.5]", d, cells, mean, sd, good, trials)
			assert.InDelta(t, 1, mean, 0.15)
			assert.LessOrEqual(t, sd, most)
			assert.GreaterOrEqual(t, good, trials*99/100)
		}
	}
}

// Sessions of every size end in few messages and bytes, with every difference.
func TestSessionsAreShort(t *testing.T) {
	const n = 20_000
	base := newTree(t)
	for i := range uint64(n) {
		base.PutHash(i*0x9e3779b97f4a7c15, i)
	}
	for d, most := range map[int]uint64{0: 2, 1: 2, 5: 4, 8: 6, 30: 8, 100: 8, 1000: 10} {
		rng := rand.New(rand.NewPCG(57, uint64(d)))
		trials := max(4, min(40, 2000/max(d, 1)))
		items, size, messages := 0, uint64(0), uint64(0)
		for range trials {
			a, b := replicas(rng, shapes["uniform"], d, d)
			x, y := base.Snapshot(), base.Snapshot()
			for side, w := range map[*merkle.Tree]twin{x: a, y: b} {
				for h, v := range w {
					side.PutHash(h, v)
				}
			}
			got, stats := exchange(t, x, y, merkle.WithMaxMessage(1<<20))
			require.Equal(t, difference(a, b), got)
			items += len(a) + len(b)
			size += stats.BytesIn + stats.BytesOut
			messages += stats.Messages
			assert.LessOrEqual(t, stats.Messages, most, "%d differences", d)
		}
		t.Logf("%d differences: %.1f messages, %d bytes, %.1f an item", d, float64(messages)/float64(trials), size/uint64(trials), float64(size)/float64(max(1, items)))
		assert.LessOrEqual(t, size, uint64(1024*trials+80*items), "%d differences", d)
		if d <= 1 {
			assert.LessOrEqual(t, size, uint64(trials*[]int{64, 600}[d]))
		}
	}
}

// A side that has lost nearly everything is told, or tells, in little more than
// an entry's 16 bytes each, not in the 60 bytes of an item.
func TestSessionsAfterALoss(t *testing.T) {
	const n = 5000
	full := newTree(t)
	for i := range uint64(n) {
		full.PutHash(i*0x9e3779b97f4a7c15, i)
	}
	for _, left := range []uint64{0, 1, 40, 500, 2000} {
		poor := newTree(t)
		for i := range left {
			poor.PutHash(i*0x9e3779b97f4a7c15, i)
		}
		for name, sides := range map[string][2]*merkle.Tree{"asks": {poor, full}, "is asked": {full, poor}} {
			got, stats := exchange(t, sides[0], sides[1], merkle.WithMaxMessage(1<<20))
			require.Len(t, got, int(n-left))
			size := stats.BytesIn + stats.BytesOut
			t.Logf("%d of %d are left, and that side %s: %d messages, %d bytes", left, n, name, stats.Messages, size)
			assert.LessOrEqual(t, size, uint64(18*n+2048), "%d left, %s", left, name)
		}
	}
}
