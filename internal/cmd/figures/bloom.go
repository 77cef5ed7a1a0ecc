package main

import (
	"math"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/plot"
)

// filter is what the types of bloom have in common once they are full.
type filter interface{ ContainsHash(h uint64) bool }

// kind is a type of filter: how to fill one at rate p, and what theory says of
// its size.
type kind struct {
	name string
	fill func(p float64) (f filter, bits uint64, err error)
	bits func(p float64) float64 // a key
}

const (
	bloomKeys  = 20_000
	bloomProbe = 1_000_000
)

// bloomFigure measures the rate of every type at four asked rates, and draws it
// against bits a key, with what theory says as dots.
func bloomFigure() (string, error) {
	var lines []plot.Series
	for _, k := range kinds() {
		s := plot.Series{Name: k.name}
		for _, p := range []float64{0.05, 0.01, 0.001, 0.0001} {
			if k.name == "Scalable" && p < 0.001 {
				continue // its last layers would ask for less than a Filter gives
			}
			f, bits, err := k.fill(p)
			if err != nil {
				return "", err
			}
			wrong := 0
			for i := range uint64(bloomProbe) {
				if f.ContainsHash(hash64.Integer(i + 1<<40)) {
					wrong++
				}
			}
			s.X = append(s.X, float64(bits)/bloomKeys)
			s.Y = append(s.Y, max(float64(wrong), 1)/bloomProbe)
			s.DotsX, s.DotsY = append(s.DotsX, k.bits(p)), append(s.DotsY, p)
		}
		lines = append(lines, s)
	}
	x := plot.Axis{Label: "bits a key (lines: measured; dots: asked rate and theory)", Min: 4, Max: 128, Log: true, Ticks: []float64{4, 8, 16, 32, 64, 128}, Format: "%g"}
	y := plot.Axis{Label: "false positives", Min: 3e-5, Max: 0.1, Log: true, Ticks: []float64{1e-4, 1e-3, 1e-2, 1e-1}, Format: "%g"}
	return plot.SVG("Rate of false positives against bits a key", x, y, lines), nil
}

func kinds() []kind {
	add := func(add func(h uint64) bool) {
		for i := range uint64(bloomKeys) {
			add(hash64.Integer(i))
		}
	}
	return []kind{
		{"Classic", func(p float64) (filter, uint64, error) {
			f, err := bloom.NewClassic(bloomKeys, p)
			if err == nil {
				add(f.AddHash)
			}
			return f, f.Bits(), err
		}, func(p float64) float64 { return -math.Log2(p) / math.Ln2 }},
		{"Static", func(p float64) (filter, uint64, error) {
			var hashes []uint64
			add(func(h uint64) bool { hashes = append(hashes, h); return true })
			f, err := bloom.NewStatic(hashes, p)
			return f, f.Bits(), err
		}, func(p float64) float64 { return fuse(bloomKeys) * math.Ceil(-math.Log2(p)) }},
		{"Filter", func(p float64) (filter, uint64, error) {
			f, err := bloom.New(bloomKeys, p)
			if err == nil {
				add(f.AddHash)
			}
			return f, f.Bits(), err
		}, func(p float64) float64 { return blocked(p, 256, 32) }},
		{"Rotating", func(p float64) (filter, uint64, error) {
			f, err := bloom.NewRotating(bloomKeys, p)
			if err == nil {
				add(f.AddHash)
			}
			return f, f.Bits(), err
		}, func(p float64) float64 { return 6.0 / 5 * blocked(p/6, 256, 32) }}, // six generations of a fifth
		{"Scalable", func(p float64) (filter, uint64, error) {
			f, err := bloom.NewScalable(bloomKeys/1023+1, p)
			if err == nil {
				add(f.AddHash)
			}
			return f, f.Bits(), err
		}, func(p float64) float64 { // ten layers, each twice as large and three quarters as wrong
			var bits, keys float64
			for i := range 10 {
				n := math.Pow(2, float64(i))
				bits, keys = bits+n*blocked(p*0.25*math.Pow(0.75, float64(i)), 256, 32), keys+n
			}
			return bits / keys
		}},
		{"Counting", func(p float64) (filter, uint64, error) {
			f, err := bloom.NewCounting(bloomKeys, p)
			if err == nil {
				add(f.AddHash)
			}
			return f, f.Bits(), err
		}, func(p float64) float64 { return blocked(p, 512, 16) }},
	}
}

// blocked returns how many bits a key takes at rate p where a key sets one of so
// many cells in each of the eight lanes of one block: blocks get a Poisson
// distributed number of keys.
func blocked(p, blockBits, cells float64) float64 {
	rate := func(load float64) (r float64) {
		term := math.Exp(-load)
		for i := 0.0; i < 20*load+100; i++ {
			r += term * math.Pow(1-math.Pow(1-1/cells, i), 8)
			term *= load / (i + 1)
		}
		return r
	}
	lo, hi := 0.01, 200.0
	for range 60 {
		if mid := (lo + hi) / 2; rate(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return blockBits / lo
}

// fuse is the size of a 3-wise binary fuse filter of n keys, in fingerprints a
// key (Graf and Lemire 2022).
func fuse(n float64) float64 { return max(1.125, 0.875+0.25*math.Log(1e6)/math.Log(n)) }
