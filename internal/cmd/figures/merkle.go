package main

import (
	"math/rand/v2"

	"github.com/distkit/distkit/internal/plot"
	"github.com/distkit/distkit/merkle"
)

const (
	merkleKeys = 100_000
	entryBytes = 16 // a position and a version
)

// merkleFigure counts the bytes that sessions send, both ways, against how many
// entries differ, beside what else two replicas could send.
func merkleFigure() (string, error) {
	lines := []plot.Series{{Name: "all entries"}, {Name: "Session"}, {Name: "the different entries"}}
	for _, d := range []int{1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000} {
		sent, err := sessionBytes(d)
		if err != nil {
			return "", err
		}
		for i, bytes := range []int{merkleKeys * entryBytes, sent, d * entryBytes} {
			lines[i].X, lines[i].Y = append(lines[i].X, float64(d)), append(lines[i].Y, float64(bytes)/1000)
		}
	}
	x := plot.Axis{Label: "different entries", Min: 1, Max: 100_000, Log: true, Ticks: []float64{1, 10, 100, 1000, 10_000, 100_000}, Format: "%.0f"}
	y := plot.Axis{Label: "kB sent", Min: 0.01, Max: 10_000, Log: true, Ticks: []float64{0.01, 0.1, 1, 10, 100, 1000, 10_000}, Format: "%g"}
	return plot.SVG("What a session sends for 100,000 keys", x, y, lines), nil
}

// sessionBytes returns how many bytes it takes two replicas to find that the
// versions of d entries differ.
func sessionBytes(d int) (int, error) {
	a, err := merkle.NewTree()
	if err != nil {
		return 0, err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	keys := make([]uint64, merkleKeys)
	for i := range keys {
		keys[i] = rng.Uint64()
		a.PutHash(keys[i], 1)
	}
	b := a.Snapshot()
	for _, h := range keys[:d] {
		b.PutHash(h, 2)
	}
	s, err := a.Initiate()
	if err != nil {
		return 0, err
	}
	r, err := b.Respond()
	if err != nil {
		return 0, err
	}
	for in := []byte(nil); ; {
		out, _, err := s.Next(nil, in)
		if err != nil {
			return 0, err
		}
		if len(out) == 0 {
			break
		}
		if in, _, err = r.Next(nil, out); err != nil {
			return 0, err
		}
	}
	stats := s.Stats()
	return int(stats.BytesIn + stats.BytesOut), nil
}
