package ring_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// log2Exactly returns the first bits binary digits of log2(x), 1 <= x < 2, by
// squaring.
func log2Exactly(x *big.Float, bits int) uint64 {
	two := big.NewFloat(2)
	var v uint64
	for range bits {
		x.Mul(x, x)
		v <<= 1
		if x.Cmp(two) >= 0 {
			v |= 1
			x.Quo(x, two)
		}
	}
	return v
}

func TestLogTables(t *testing.T) {
	logs, inverses := ring.LogTables()
	for i := range int64(256) {
		x := new(big.Float).SetPrec(400).Quo(new(big.Float).SetInt64(256+i), big.NewFloat(256))
		assert.Equal(t, log2Exactly(x, 57), logs[i])
		q := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(256+i))
		assert.Equal(t, q.Uint64(), inverses[i])
	}
}

func TestNegLog2(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(1, 14))
	worst := 0.0
	for i := range 20_000 {
		u := max(1, rng.Uint64()>>(i%64))
		x := new(big.Float).SetPrec(300).SetUint64(u)
		exponent := x.MantExp(x) // x = m 2^exponent, 1/2 <= m < 1
		x.Mul(x, big.NewFloat(2))
		want := uint64(64-exponent+1)<<57 - log2Exactly(x, 57)
		got := ring.NegLog2(u)
		worst = max(worst, math.Abs(float64(int64(got-want)))/(1<<57))
	}
	assert.Less(t, worst, math.Exp2(-41))
	assert.LessOrEqual(t, ring.NegLog2(math.MaxUint64), uint64(1<<16))
	assert.GreaterOrEqual(t, ring.NegLog2(math.MaxUint64), uint64(1))
	assert.Equal(t, uint64(64<<57), ring.NegLog2(1))
	assert.Equal(t, uint64(64<<57), ring.NegLog2(0))
	assert.Equal(t, uint64(1<<57), ring.NegLog2(1<<63))
}

// x/w compares like the exact quotient.
func TestInverseTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 14))
	weights := []float64{1, 2, 0.5, 3, 1.0 / 3, 1e-300, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64}
	for range 200 {
		weights = append(weights, math.Exp2(40*rng.Float64()-20))
	}
	quotient := func(x uint64, w float64) *big.Float {
		return new(big.Float).SetPrec(300).Quo(new(big.Float).SetUint64(x), big.NewFloat(w))
	}
	for range 20_000 {
		x, y := 1+rng.Uint64()>>rng.IntN(63), 1+rng.Uint64()>>rng.IntN(63)
		v, w := weights[rng.IntN(len(weights))], weights[rng.IntN(len(weights))]
		a, b := quotient(x, v), quotient(y, w)
		near := new(big.Float).Sub(a, b)
		if near.Abs(near).Cmp(new(big.Float).Mul(a, big.NewFloat(math.Exp2(-50)))) < 0 {
			continue
		}
		require.Equal(t, a.Cmp(b) < 0, ring.Times(x, v) < ring.Times(y, w), "%d/%g and %d/%g", x, v, y, w)
	}
}
