package quorum

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/quorum/pbs"
)

// published is a row of table 4 of Bailis et al. (VLDB 2012), N = 3: latencies
// and t-visibility at 99.9 % in milliseconds, and the chance of a fresh read at
// once. wars are the fits of its table 3.
type published struct {
	r, w                        int
	wars                        pbs.WARS
	read, write, visible, fresh float64
}

func publishedRows() map[string]published {
	ssd := mix(.9122, .235, 10, 1.66)
	disk := mix(.38, 1.05, 1.51, .183)
	ymmr := mix(.982, 1.5, 3.8, .0217)
	return map[string]published{
		"SSD 1,1":  {1, 1, pbs.WARS{W: ssd, A: ssd, R: ssd, S: ssd}, .66, .66, 1.85, .974},
		"DISK 2,1": {2, 1, pbs.WARS{W: disk, A: ssd, R: ssd, S: ssd}, 1.63, 10.9, 13.6, .763},
		"DISK 1,1": {1, 1, pbs.WARS{W: disk, A: ssd, R: ssd, S: ssd}, .66, 10.99, 45.5, .439},
		"YMMR 1,1": {1, 1, pbs.WARS{W: mix(.939, 3, 3.35, .0028), A: ymmr, R: ymmr, S: ymmr}, 5.58, 10.83, 1364, .893},
	}
}

// mix is a Pareto body with an exponential tail, in milliseconds.
func mix(body, xm, alpha, lambda float64) func(*rand.Rand) time.Duration {
	return func(rng *rand.Rand) time.Duration {
		x := rng.ExpFloat64() / lambda
		if rng.Float64() < body {
			x = xm / math.Pow(1-rng.Float64(), 1/alpha)
		}
		return time.Duration(x * float64(time.Millisecond))
	}
}

func (p published) predict() *pbs.Prediction {
	return check(pbs.Predict(3, p.r, p.w, p.wars, 300_000, rand.New(rand.NewPCG(1, 2))))
}

// stalenessFigures bound how far the worst of the rows is off. The published
// fit of DISK itself gives 51 ± 2 ms where the table says 45.5.
func stalenessFigures() []bar.Figure {
	off := func(have time.Duration, want float64) float64 {
		return 100 * math.Abs(have.Seconds()*1e3/want-1)
	}
	worst := func(of func(published, *pbs.Prediction) float64, rows ...string) func() float64 {
		return func() (sup float64) {
			all := publishedRows()
			for _, name := range rows {
				sup = max(sup, of(all[name], all[name].predict()))
			}
			return sup
		}
	}
	visible := func(row published, p *pbs.Prediction) float64 { return off(p.Visible(.999), row.visible) }
	return []bar.Figure{
		{Name: "Predict: t-visibility off the paper's", Unit: "%", Limit: 15, Measure: worst(visible, "SSD 1,1", "DISK 2,1", "YMMR 1,1")},
		{Name: "Predict: t-visibility off the paper's/DISK 1,1", Unit: "%", Limit: 25, Measure: worst(visible, "DISK 1,1")},
		{Name: "Predict: fresh at once off the paper's", Unit: "points", Limit: 1.2, Measure: worst(func(row published, p *pbs.Prediction) float64 {
			return 100 * math.Abs(p.Fresh(0)-row.fresh)
		}, "SSD 1,1", "DISK 2,1", "DISK 1,1", "YMMR 1,1")},
		{Name: "Predict: latencies off the paper's", Unit: "%", Limit: 5, Measure: worst(func(row published, p *pbs.Prediction) float64 {
			return max(off(p.ReadLatency(.999), row.read), off(p.WriteLatency(.999), row.write))
		}, "SSD 1,1", "DISK 2,1", "DISK 1,1", "YMMR 1,1")},
	}
}
