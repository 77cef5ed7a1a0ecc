// Package bloom holds the filters to their bars against the filters that Go
// programs use, at 1 % unless said, and to bounds on rate and size.
package bloom

import "github.com/distkit/distkit/bench/bar"

// Suite returns the bars of package bloom. Where a name says raw it is NewParquet
// that runs, whose hashes are not remixed; the peers do not remix theirs.
func Suite() bar.Suite {
	s := bar.Suite{Package: "bloom"}
	for _, bars := range [][]bar.Bar{
		single(), batches(), keyed(), shared(), classics(), statics(), growing(), counters(), views(), portable(),
	} {
		s.Bars = append(s.Bars, bars...)
	}
	for _, figures := range [][]bar.Figure{accuracy(), sizes(), staticSizes(), worstAdd()} {
		s.Figures = append(s.Figures, figures...)
	}
	return s
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
