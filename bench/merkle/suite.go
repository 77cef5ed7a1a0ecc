// Package merkle holds the anti-entropy index and its sessions to their bars.
package merkle

import "github.com/distkit/distkit/bench/bar"

// Suite returns the bars of package merkle.
func Suite() bar.Suite {
	s := bar.Suite{Package: "merkle"}
	s.Bars = append(s.Bars, treeBars()...)
	s.Bars = append(s.Bars, syncBars()...)
	s.Figures = append(s.Figures, treeFigures()...)
	s.Figures = append(s.Figures, syncFigures()...)
	return s
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
