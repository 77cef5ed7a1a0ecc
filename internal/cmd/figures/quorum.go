package main

import (
	"math/rand/v2"
	"time"

	"github.com/distkit/distkit/internal/plot"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/distkit/distkit/quorum/pbs"
)

// layoutsFigure draws how much of the time reads or writes are impossible, which
// is exact, against how much of it a node is down.
func layoutsFigure() (string, error) {
	x := plot.Axis{Label: "a node is down, % of the time", Min: 0.01, Max: 10, Log: true, Ticks: []float64{0.01, 0.1, 1, 10}, Format: "%g"}
	y := plot.Axis{Label: "reads or writes impossible, %", Min: 1e-7, Max: 100, Log: true, Ticks: []float64{1e-6, 1e-4, 1e-2, 1, 100}, Format: "%g"}
	var lines []plot.Series
	for _, l := range []struct{ name, reads, writes string }{
		{"R 1, W 3", "a + b + c", "a*b*c"},
		{"grid of 9, a row", "a*b*c + d*e*f + g*h*i", "(a + b + c)*(d + e + f)*(g + h + i)"},
		{"2 of 3", "majority(a, b, c)", "majority(a, b, c)"},
		{"3 of 5", "majority(a, b, c, d, e)", "majority(a, b, c, d, e)"},
		{"2 of 3 in 2 of 3 zones", "choose2(majority(a, b, c), majority(d, e, f), majority(g, h, i))", "choose2(majority(a, b, c), majority(d, e, f), majority(g, h, i))"},
	} {
		reads, err := expr.Parse(l.reads)
		if err != nil {
			return "", err
		}
		writes, err := expr.Parse(l.writes)
		if err != nil {
			return "", err
		}
		if _, err := expr.NewSystem(reads, writes); err != nil {
			return "", err
		}
		s := plot.Series{Name: l.name}
		for down := x.Min; down <= x.Max*1.01; down *= 1.3335214321633 { // an eighth of a decade
			fail := func(string) float64 { return down / 100 }
			impossible := 100 * (1 - min(reads.Availability(fail), writes.Availability(fail)))
			if impossible > y.Min {
				s.X, s.Y = append(s.X, down), append(s.Y, impossible)
			}
		}
		lines = append(lines, s)
	}
	return plot.SVG("How often a layout cannot both read and write", x, y, lines), nil
}

// staleFigure draws how soon reads see a write where R + W ≤ N: writes take 10 ms
// on average, acknowledgments, requests and answers 1 ms.
func staleFigure() (string, error) {
	delay := func(mean time.Duration) func(*rand.Rand) time.Duration {
		return func(rng *rand.Rand) time.Duration { return time.Duration(rng.ExpFloat64() * float64(mean)) }
	}
	model := pbs.WARS{W: delay(10 * time.Millisecond), A: delay(time.Millisecond), R: delay(time.Millisecond), S: delay(time.Millisecond)}
	var lines []plot.Series
	for _, c := range []struct {
		name string
		r, w int
	}{{"R 1, W 1", 1, 1}, {"R 1, W 2", 1, 2}, {"R 2, W 1", 2, 1}, {"R 2, W 2", 2, 2}} {
		p, err := pbs.Predict(3, c.r, c.w, model, 100_000, rand.New(rand.NewPCG(1, 1)))
		if err != nil {
			return "", err
		}
		s := plot.Series{Name: c.name}
		for ms := range 41 {
			s.X = append(s.X, float64(ms))
			s.Y = append(s.Y, 100*p.Fresh(time.Duration(ms)*time.Millisecond))
		}
		lines = append(lines, s)
	}
	return plot.SVG("Reads that see a write, three replicas",
		plot.Axis{Label: "milliseconds since the write was acknowledged", Min: 0, Max: 40, Ticks: []float64{0, 10, 20, 30, 40}, Format: "%.0f"},
		plot.Axis{Label: "% of reads", Min: 40, Max: 100, Ticks: []float64{40, 60, 80, 100}, Format: "%.0f"}, lines), nil
}
