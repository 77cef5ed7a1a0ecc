package hll_test

import (
	"flag"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// counter is a type whose errors are measured.
type counter interface {
	AddHash(h uint64) bool
	Estimate() uint64
}

var long = flag.Bool("long", false, "take all the trials that accuracy is accepted by: minutes, not seconds")

// trialsOf returns how many trials a point gets: with -long as many as the bands
// of acceptance are for, and few where the race detector makes each ten times as
// slow. Bands are the wider the fewer the trials.
func trialsOf(quick, accepted int) int {
	switch {
	case *long:
		return accepted
	case invariants.Enabled:
		return (quick + 4) / 5
	}
	return quick
}

// errorsAt returns the relative errors of estimates after points[i] keys, one a
// trial; points increase.
func errorsAt(points []float64, trials int, make func() counter) [][]float64 {
	out := make2(len(points), trials)
	for trial := range trials {
		c, rng, n := make(), rand.New(rand.NewPCG(uint64(trial), 21)), 0.0
		for i, point := range points {
			for ; n < point; n++ {
				c.AddHash(rng.Uint64())
			}
			out[i][trial] = float64(c.Estimate())/point - 1
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
// once in ten thousand times. From 20 m keys on an error that is too small is one
// too: the sketch would know more than it can.
func band(t *testing.T, points []float64, m, relative float64, errs [][]float64) {
	t.Helper()
	for i, n := range points {
		trials := float64(len(errs[i]))
		bias, rmse := biasAndRMSE(errs[i])
		slack := 4 / math.Sqrt(2*trials)
		rounding := 0.5 / n
		t.Logf("n=%-8.3g bias %+.3f, error %.3f of %.3g %%", n, bias/relative, rmse/relative, 100*relative)
		require.LessOrEqual(t, rmse, relative*(1+slack)+rounding, "n=%g", n)
		require.LessOrEqual(t, math.Abs(bias), 4*relative/math.Sqrt(trials)+rounding, "n=%g", n)
		if n >= 20*m {
			require.GreaterOrEqual(t, rmse, relative*(1-slack), "n=%g", n)
		}
	}
}

// points are those at which a sketch of m registers is tried.
func points(m float64) []float64 {
	ps := []float64{1, 2, 10, 100, 1000, m, 2 * m, 3 * m, 5 * m, 10 * m, 50 * m}
	if *long || m <= 512 {
		ps = append(ps, 250*m)
	}
	slices.Sort(ps)
	return ps
}

func TestErrorsAreThoseOfTheory(t *testing.T) {
	const p, m = 11, 1 << 11
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
			band(t, points(m), m, c.relative, errorsAt(points(m), trialsOf(200, 400), func() counter { return must(hll.New(p, c.opts...)) }))
		})
	}
}

func TestExaLogLogErrorsAreThoseOfTheory(t *testing.T) {
	const p, m = 9, 1 << 9
	for name, c := range map[string]struct {
		relative float64
		opts     []hll.Option
	}{
		"sparse first":            {.3437584 / math.Sqrt(m), nil},
		"dense":                   {.3437584 / math.Sqrt(m), []hll.Option{hll.WithDense()}},
		"martingale":              {.3062655 / math.Sqrt(m), []hll.Option{hll.WithMartingale()}},
		"martingale, dense first": {.3062655 / math.Sqrt(m), []hll.Option{hll.WithMartingale(), hll.WithDense()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.InEpsilon(t, c.relative, must(hll.NewExaLogLog(p, c.opts...)).RelativeError(), 1e-3)
			band(t, points(m), m, c.relative, errorsAt(points(m), trialsOf(100, 400), func() counter { return must(hll.NewExaLogLog(p, c.opts...)) }))
		})
	}
}

// hugeSets are sizes that nobody inserts in a test: registers are drawn for them,
// to which keys come as to Poisson processes.
var hugeSets = []float64{1e9, 1e12, 1e15, 1e17, 1e18, 1e19}

// draw returns how many registers of a Sketch hold each value after n keys.
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
	p, trials := 8, trialsOf(2000, 10_000)
	if *long {
		p = 11
	}
	m := math.Pow(2, float64(p))
	rng := rand.New(rand.NewPCG(22, 23))
	relative := 1.0390 / math.Sqrt(m)
	for _, n := range append([]float64{250 * m}, hugeSets...) {
		errs := make([]float64, trials)
		for i := range errs {
			errs[i] = hll.RawEstimate(uint8(p), draw(rng, p, n))/n - 1
		}
		bias, rmse := biasAndRMSE(errs)
		t.Logf("n=%-8.3g bias %+.3f, error %.3f of %.3g %%", n, bias/relative, rmse/relative, 100*relative)
		own := 0.0 // the estimator's own bias is below 1/m, which shows at p = 8
		if !*long {
			own = 1.2 / m
		}
		require.LessOrEqual(t, math.Abs(bias), 4*relative/math.Sqrt(float64(trials))+own, "n=%g", n)
		require.InEpsilon(t, relative, rmse, 3/math.Sqrt(float64(trials)), "n=%g", n) // 4.2 standard deviations
	}
}

// drawExa returns an ExaLogLog as n keys leave it.
func drawExa(rng *rand.Rand, p int, n float64) *hll.ExaLogLog {
	const t, d = 2, 24
	regs, levels := make([]uint32, 1<<p), 64-t-p
	var seen [64 << t]float64 // the probability of each value
	for k := 1; k <= (levels+1)<<t; k++ {
		seen[k] = -math.Expm1(-n * math.Pow(2, -float64(p+t+min((k-1)>>t+1, levels))))
	}
	for i := range regs {
		u := (levels + 1) << t
		for u > 0 && rng.Float64() >= seen[u] {
			u--
		}
		regs[i] = uint32(u) << d
		for k := max(u-d, 0); k < u; k++ {
			if k == 0 || rng.Float64() < seen[k] {
				regs[i] |= 1 << (d - u + k)
			}
		}
	}
	return hll.ExaFromRegisters(regs, uint8(p))
}

func TestExaLogLogErrorsUpToTheEndOfTheRange(t *testing.T) {
	p, trials := 6, trialsOf(400, 4000)
	if *long {
		p = 9
	}
	rng := rand.New(rand.NewPCG(24, 25))
	m := math.Pow(2, float64(p))
	relative := .3437584 / math.Sqrt(m)
	ns := hugeSets
	errs := make2(len(ns), trials)
	for i, n := range ns {
		for trial := range trials {
			errs[i][trial] = float64(drawExa(rng, p, n).Estimate())/n - 1
		}
	}
	band(t, ns, m, relative, errs)
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
		must(hll.NewExaLogLog(p - 3)), must(hll.NewExaLogLog(p-3, hll.WithMartingale())), must(hll.NewConcurrent(p)),
	}
}

// Bounds hold the truth as often as they say.
func TestBoundsHold(t *testing.T) {
	testkit.NotUnderRace(t)
	type bounded interface {
		AddHash(h uint64) bool
		Bounds(sigmas float64) (lower, upper uint64)
	}
	for name, make := range map[string]func() bounded{
		"Sketch":     func() bounded { return must(hll.New(8)) },
		"martingale": func() bounded { return must(hll.New(8, hll.WithMartingale())) },
		"ExaLogLog":  func() bounded { return must(hll.NewExaLogLog(5)) },
		"Concurrent": func() bounded { return must(hll.NewConcurrent(8)) },
	} {
		for _, n := range []int{100, 3000, 8000} {
			held := [4]int{}
			for trial := range 200 {
				s, rng := make(), rand.New(rand.NewPCG(uint64(trial), 24))
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
			require.GreaterOrEqual(t, held[1], 112, "%s, n=%d", name, n) // 68 % less 3.6 standard errors
			require.GreaterOrEqual(t, held[2], 178, "%s, n=%d", name, n) // 95 %
			require.GreaterOrEqual(t, held[3], 195, "%s, n=%d", name, n)
		}
	}
}
