// Package merkle holds the anti-entropy index and its sessions to their bars.
package merkle

import "github.com/distkit/distkit/bench/bar"

// Suite returns the bars of package merkle.
func Suite() bar.Suite {
	return bar.Suite{Package: "merkle", Bars: treeBars(), Figures: treeFigures()}
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
