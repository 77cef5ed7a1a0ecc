package main

import (
	"math"
	"math/rand/v2"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/plot"
)

// counter is what the counters of hll have in common here.
type counter interface {
	AddHash(h uint64) bool
	Estimate() uint64
	RelativeError() float64
}

const (
	hllTrials = 400
	hllKeys   = 16384
)

// hllFigure measures the error of every counter while it fills up, and draws it
// with the error that theory gives for large sets as dots.
func hllFigure() (string, error) {
	var lines []plot.Series
	for _, c := range []struct {
		name string
		make func() (counter, error)
	}{
		{"Sketch, 256 bytes", func() (counter, error) { return hll.New(8) }},
		{"… martingale", func() (counter, error) { return hll.New(8, hll.WithMartingale()) }},
		{"ExaLogLog, 128 bytes", func() (counter, error) { return hll.NewExaLogLog(5) }},
		{"… martingale", func() (counter, error) { return hll.NewExaLogLog(5, hll.WithMartingale()) }},
	} {
		s, err := errorCurve(c.make)
		if err != nil {
			return "", err
		}
		s.Name = c.name
		lines = append(lines, s)
	}
	x := plot.Axis{Label: "distinct keys (lines: measured; dots: theory for large sets)", Min: 1, Max: hllKeys, Log: true, Ticks: []float64{1, 10, 100, 1000, 10_000}, Format: "%.0f"}
	y := plot.Axis{Label: "error, %", Min: 0, Max: 8, Ticks: []float64{0, 2, 4, 6, 8}, Format: "%.0f"}
	return plot.SVG("Root mean square error of 400 counts", x, y, lines), nil
}

// errorCurve measures relative errors in percent at half powers of two.
func errorCurve(make func() (counter, error)) (s plot.Series, err error) {
	var points []int
	var sums []float64
	for n := 1.0; n <= hllKeys; n *= math.Sqrt2 {
		points, sums = append(points, int(n+0.5)), append(sums, 0)
	}
	for trial := range hllTrials {
		c, err := make()
		if err != nil {
			return s, err
		}
		rng, n := rand.New(rand.NewPCG(uint64(trial), 1)), 0
		for i, point := range points {
			for ; n < point; n++ {
				c.AddHash(rng.Uint64())
			}
			e := float64(c.Estimate())/float64(n) - 1
			sums[i] += e * e
		}
		if trial == 0 {
			for _, n := range points[len(points)-8:] {
				s.DotsX, s.DotsY = append(s.DotsX, float64(n)), append(s.DotsY, 100*c.RelativeError())
			}
		}
	}
	for i, sum := range sums {
		s.X, s.Y = append(s.X, float64(points[i])), append(s.Y, 100*math.Sqrt(sum/hllTrials))
	}
	return s, nil
}
