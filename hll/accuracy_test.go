package hll_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/stretchr/testify/require"
)

// counter is a type whose errors are measured.
type counter interface {
	AddHash(h uint64) bool
	Estimate() uint64
}

// errorsAt returns the relative errors of estimates after points[i] keys, one a
// trial; points increase.
func errorsAt(points []int, trials int, make func() counter) [][]float64 {
	out := make2(len(points), trials)
	for trial := range trials {
		c, rng, n := make(), rand.New(rand.NewPCG(uint64(trial), 21)), 0
		for i, point := range points {
			for ; n < point; n++ {
				c.AddHash(rng.Uint64())
			}
			out[i][trial] = float64(c.Estimate())/float64(point) - 1
		}
	}
	return out
}

func make2(n, m int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, m)
	}
	return out
}

func biasAndRMSE(errs []float64) (bias, rmse float64) {
	for _, e := range errs {
		bias += e
		rmse += e * e
	}
	n := float64(len(errs))
	return bias / n, math.Sqrt(rmse / n)
}

// band demands the bias and the error that theory gives, within what chance does
// once in ten thousand times. An error that is too small is one too: the sketch
// would know more than it can.
func band(t *testing.T, points []int, m, relative float64, errs [][]float64) {
	t.Helper()
	for i, n := range points {
		trials := float64(len(errs[i]))
		bias, rmse := biasAndRMSE(errs[i])
		slack := 4 / math.Sqrt(2*trials)
		rounding := 0.5 / float64(n)
		require.LessOrEqual(t, rmse, relative*(1+slack)+rounding, "n=%d", n)
		require.LessOrEqual(t, math.Abs(bias), 4*relative/math.Sqrt(trials)+rounding, "n=%d", n)
		if float64(n) >= 20*m {
			require.GreaterOrEqual(t, rmse, relative*(1-slack), "n=%d", n)
		}
	}
}

const trials = 400

func TestErrorsAreThoseOfTheory(t *testing.T) {
	const p, m = 11, 1 << 11
	points := []int{1, 2, 10, 100, 1000, m, 2 * m, 3 * m, 5 * m, 10 * m, 50 * m}
	for name, c := range map[string]struct {
		relative float64
		opts     []hll.Option
	}{
		"sparse first":            {1.0390 / math.Sqrt(m), nil},
		"dense":                   {1.0390 / math.Sqrt(m), []hll.Option{hll.WithDense()}},
		"martingale":              {0.8326 / math.Sqrt(m), []hll.Option{hll.WithMartingale()}},
		"martingale, dense first": {0.8326 / math.Sqrt(m), []hll.Option{hll.WithMartingale(), hll.WithDense()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.InEpsilon(t, c.relative, must(hll.New(p, c.opts...)).RelativeError(), 1e-3)
			band(t, points, m, c.relative, errorsAt(points, trials, func() counter { return must(hll.New(p, c.opts...)) }))
		})
	}
}

// draw returns how many registers hold each value after n keys, none inserted:
// keys come to registers as to Poisson processes.
func draw(rng *rand.Rand, p int, n float64) []uint32 {
	q, m := 64-p, float64(uint64(1)<<p)
	counts := make([]uint32, q+2)
	for range 1 << p {
		k := math.Ceil(math.Log2(n / m / rng.ExpFloat64()))
		counts[int(min(max(k, 0), float64(q+1)))]++
	}
	return counts
}

func TestErrorsUpToTheEndOfTheRange(t *testing.T) {
	const p, n = 8, 4000
	rng := rand.New(rand.NewPCG(22, 23))
	relative := 1.0390 / math.Sqrt(1<<p)
	for _, keys := range []float64{250 << p, 1e9, 1e12, 1e15, 1e18, 1e19} {
		errs := make([]float64, n)
		for i := range errs {
			errs[i] = hll.RawEstimate(p, draw(rng, p, keys))/keys - 1
		}
		bias, rmse := biasAndRMSE(errs)
		require.LessOrEqual(t, math.Abs(bias), 4*relative/math.Sqrt(n)+1.2/(1<<p), "n=%g", keys) // the estimator's own bias is below 1/m
		require.InEpsilon(t, relative, rmse, 0.06, "n=%g", keys)
	}
}

// Hashes of which the sketch sees only one shard: the top or the low bits are the
// same for all keys.
func TestSketchOfOneShard(t *testing.T) {
	const n = 100_000
	shards := map[string]func(h uint64) bool{
		"1 of 64 by high bits":     func(h uint64) bool { return h>>58 == 17 },
		"1 of 64 by low bits":      func(h uint64) bool { return h&63 == 17 },
		"an arc of a ring":         func(h uint64) bool { return h>>60 == 9 },
		"by multiply and shift":    func(h uint64) bool { return hash64.Reduce(h, 100) == 42 },
		"100 small arcs":           func(h uint64) bool { return h>>54%100 == 7 },
		"modulo 1000":              func(h uint64) bool { return h%1000 == 3 },
		"even positions of a ring": func(h uint64) bool { return bits.OnesCount64(h>>56)%2 == 0 },
	}
	for name, mine := range shards {
		for _, c := range sketches(14) {
			for i, left := uint64(0), n/20; left > 0; i++ {
				if h := hash64.Integer(i); mine(h) {
					c.AddHash(h)
					left--
				}
			}
			require.InEpsilon(t, n/20, c.Estimate(), 5*c.RelativeError(), name)
		}
	}
}

// Raw integers, not hashed at all.
func TestSketchOfRawIntegers(t *testing.T) {
	const n = 100_000
	for name, id := range map[string]func(i uint64) uint64{
		"i":              func(i uint64) uint64 { return i },
		"i<<32":          func(i uint64) uint64 { return i << 32 },
		"i<<47":          func(i uint64) uint64 { return i << 47 },
		"1000 i":         func(i uint64) uint64 { return 1000 * i },
		"reversed":       bits.Reverse64,
		"bytes reversed": bits.ReverseBytes64,
		"-i":             func(i uint64) uint64 { return -i },
	} {
		for _, c := range sketches(12) {
			for i := range uint64(n) {
				c.AddHash(id(i))
			}
			require.InEpsilon(t, n, c.Estimate(), 5*c.RelativeError(), name)
		}
	}
}

type relative interface {
	counter
	RelativeError() float64
}

// sketches returns one of every kind that takes hashes.
func sketches(p int) []relative {
	return []relative{
		must(hll.New(p)), must(hll.New(p, hll.WithMartingale())), must(hll.New(p, hll.WithDense())),
		must(hll.NewExaLogLog(p - 3)), must(hll.NewExaLogLog(p-3, hll.WithMartingale())),
	}
}

// Bounds hold the truth as often as they say.
func TestBoundsHold(t *testing.T) {
	for _, n := range []int{100, 3000, 100_000} {
		held := [4]int{}
		for trial := range 200 {
			s, rng := must(hll.New(8)), rand.New(rand.NewPCG(uint64(trial), 24))
			for range n {
				s.AddHash(rng.Uint64())
			}
			for sigmas := range held {
				lower, upper := s.Bounds(float64(sigmas))
				if lower <= uint64(n) && uint64(n) <= upper {
					held[sigmas]++
				}
			}
		}
		require.GreaterOrEqual(t, held[1], 112, "n=%d", n) // 68 % less 3.6 standard errors
		require.GreaterOrEqual(t, held[2], 178, "n=%d", n) // 95 %
		require.GreaterOrEqual(t, held[3], 195, "n=%d", n)
	}
}
