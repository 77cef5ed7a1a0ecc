package pbs_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/distkit/distkit/quorum/pbs"
	"github.com/stretchr/testify/require"
)

// TestTextbookSettings: N = 3 and (R, W).
func TestTextbookSettings(t *testing.T) {
	for _, x := range []struct {
		r, w int
		want float64
	}{{2, 1, 1. / 3}, {2, 2, 0}, {3, 1, 0}, {1, 3, 0}, {1, 1, 2. / 3}} {
		require.InDelta(t, x.want, pbs.StaleProbability(3, x.r, x.w, 1), 1e-15)
	}
	require.InDelta(t, 8./27, pbs.StaleProbability(3, 1, 1, 3), 1e-15)
	for _, x := range [][4]int{{0, 1, 1, 1}, {3, 0, 1, 1}, {3, 4, 1, 1}, {3, 1, 0, 1}, {3, 1, 4, 1}, {3, 1, 1, 0}} {
		require.True(t, math.IsNaN(pbs.StaleProbability(x[0], x[1], x[2], x[3])))
	}
}

func TestStaleProbabilityAgainstAllSets(t *testing.T) {
	for n := 1; n <= 8; n++ {
		for r := 1; r <= n; r++ {
			for w := 1; w <= n; w++ {
				miss, all := 0, 0
				for set := range 1 << n {
					if bits.OnesCount(uint(set)) == r {
						all++
						if set&(1<<w-1) == 0 {
							miss++
						}
					}
				}
				require.InDelta(t, float64(miss)/float64(all), pbs.StaleProbability(n, r, w, 1), 1e-12)
			}
		}
	}
}

type draw = func(*rand.Rand) time.Duration

func millis(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }

// mix is a Pareto body with an exponential tail, as the paper fits them, in ms.
func mix(body, xm, alpha, lambda float64) draw {
	return func(rng *rand.Rand) time.Duration {
		if rng.Float64() < body {
			return millis(xm / math.Pow(1-rng.Float64(), 1/alpha))
		}
		return millis(rng.ExpFloat64() / lambda)
	}
}

// TestPublishedFigures: the fits of Bailis et al. (table 3) give the latencies
// and t-visibilities of its table 4.
func TestPublishedFigures(t *testing.T) {
	ssd := mix(.9122, .235, 10, 1.66)
	disk := mix(.38, 1.05, 1.51, .183)
	ymmr := mix(.982, 1.5, 3.8, .0217)
	for _, x := range []struct {
		name                             string
		m                                pbs.WARS
		r, w                             int
		read, write, visible, fresh, tol float64
	}{
		{"SSD", pbs.WARS{W: ssd, A: ssd, R: ssd, S: ssd}, 1, 1, .66, .66, 1.85, .974, .15},
		{"SSD", pbs.WARS{W: ssd, A: ssd, R: ssd, S: ssd}, 2, 2, 1.62, 1.64, 0, 1, .15},
		{"DISK", pbs.WARS{W: disk, A: ssd, R: ssd, S: ssd}, 1, 1, .66, 10.99, 45.5, .439, .25},
		{"DISK", pbs.WARS{W: disk, A: ssd, R: ssd, S: ssd}, 2, 1, 1.63, 10.9, 13.6, .763, .15},
		{"YMMR", pbs.WARS{W: mix(.939, 3, 3.35, .0028), A: ymmr, R: ymmr, S: ymmr}, 1, 1, 5.58, 10.83, 1364, .893, .15},
	} {
		p, err := pbs.Predict(3, x.r, x.w, x.m, 100_000, rand.New(rand.NewPCG(1, 2)))
		require.NoError(t, err)
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		require.InEpsilon(t, x.read, ms(p.ReadLatency(.999)), .05, "%s %d,%d reads", x.name, x.r, x.w)
		require.InEpsilon(t, x.write, ms(p.WriteLatency(.999)), .05, "%s %d,%d writes", x.name, x.r, x.w)
		require.InDelta(t, x.visible, ms(p.Visible(.999)), x.tol*x.visible, "%s %d,%d", x.name, x.r, x.w)
		require.InDelta(t, x.fresh, p.Fresh(0), .012)
		require.GreaterOrEqual(t, p.Fresh(p.Visible(.999)), .999-1e-4)
	}
}

// TestSimulationAgainstTheClosedForm: a write that reaches one replica at once
// and the others never in time is the closed form.
func TestSimulationAgainstTheClosedForm(t *testing.T) {
	now := func(*rand.Rand) time.Duration { return 0 }
	far := func(rng *rand.Rand) time.Duration { return time.Hour + time.Duration(rng.Int64N(int64(time.Hour))) }
	jitter := func(rng *rand.Rand) time.Duration { return time.Duration(rng.Int64N(1000)) }
	p, err := pbs.Predict(5, 2, 1, pbs.WARS{W: far, A: now, R: now, S: jitter}, 100_000, rand.New(rand.NewPCG(3, 4)))
	require.NoError(t, err)
	require.InDelta(t, 1-pbs.StaleProbability(5, 2, 1, 1), p.Fresh(0), .006)
	require.Equal(t, 1.0, p.Fresh(time.Hour))
	require.Zero(t, p.Fresh(-1))
}

func TestPredictRefuses(t *testing.T) {
	d := func(*rand.Rand) time.Duration { return 0 }
	m, rng := pbs.WARS{W: d, A: d, R: d, S: d}, rand.New(rand.NewPCG(1, 1))
	for want, f := range map[string]func() (*pbs.Prediction, error){
		"n is 0, want 1 to 1024": func() (*pbs.Prediction, error) { return pbs.Predict(0, 1, 1, m, 1, rng) },
		"r is 4, want 1 to n, 3": func() (*pbs.Prediction, error) { return pbs.Predict(3, 4, 1, m, 1, rng) },
		"w is 0, want 1 to n, 3": func() (*pbs.Prediction, error) { return pbs.Predict(3, 1, 0, m, 1, rng) },
		"trials are 0, want 1":   func() (*pbs.Prediction, error) { return pbs.Predict(3, 1, 1, m, 0, rng) },
		"lacks W, A, R or S":     func() (*pbs.Prediction, error) { return pbs.Predict(3, 1, 1, pbs.WARS{}, 1, rng) },
		"random source is nil":   func() (*pbs.Prediction, error) { return pbs.Predict(3, 1, 1, m, 1, nil) },
	} {
		_, err := f()
		require.ErrorContains(t, err, want)
	}
	var z *pbs.Prediction
	require.Zero(t, z.Fresh(1)+float64(z.Visible(.5)+z.ReadLatency(.5)+z.WriteLatency(.5)))
	p, err := pbs.Predict(1, 1, 1, m, 1, rng)
	require.NoError(t, err)
	require.Zero(t, p.Visible(2))
}
