// Package merkle holds the anti-entropy index and its sessions to their bars, and
// the proof packages tlog, blob and smt to theirs.
package merkle

import "github.com/distkit/distkit/bench/bar"

// Suite returns the bars of package merkle and of the packages below it.
func Suite() bar.Suite {
	s := bar.Suite{Package: "merkle"}
	s.Bars = append(s.Bars, treeBars()...)
	s.Bars = append(s.Bars, syncBars()...)
	s.Bars = append(s.Bars, proofBars()...)
	s.Figures = append(s.Figures, treeFigures()...)
	s.Figures = append(s.Figures, syncFigures()...)
	s.Figures = append(s.Figures, proofFigures()...)
	return s
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
