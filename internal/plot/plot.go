// Package plot draws lines over a grid as SVG, for the figures of the documentation.
package plot

import (
	"fmt"
	"math"
	"strings"
)

// Series is a line of a plot and, where Dots are given, what it is compared with.
type Series struct {
	Name         string
	X, Y         []float64
	DotsX, DotsY []float64
}

// Axis maps values to a side of the plot.
type Axis struct {
	Label    string
	Min, Max float64
	Log      bool
	Ticks    []float64
	Format   string // of a tick
}

func (a Axis) at(v, from, to float64) float64 {
	lo, hi := a.Min, a.Max
	if a.Log {
		v, lo, hi = math.Log(v), math.Log(lo), math.Log(hi)
	}
	return from + (to-from)*(v-lo)/(hi-lo)
}

const (
	left, right, top, bottom = 62.0, 560.0, 48.0, 280.0
	colors                   = 6
)

// style reads in light and dark, and without colors, for lines differ in dashes.
const style = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1b1f24; } .dim { fill: #57606a; } .title { font-weight: 600; }
  .grid { stroke: #d0d7de; } .line { fill: none; stroke-width: 2; stroke: var(--c); }
  .s0 { --c: #0072b2; } .s1 { --c: #e69f00; stroke-dasharray: 7 3; } .s2 { --c: #009e73; stroke-dasharray: 2 3; }
  .s3 { --c: #cc79a7; stroke-dasharray: 9 3 2 3; } .s4 { --c: #d55e00; stroke-dasharray: 4 4; } .s5 { --c: #56b4e9; }
  .dot { fill: var(--c); }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .dim { fill: #9aa5b1; } .grid { stroke: #30363d; } }
</style>
`

// SVG draws lines over a grid, with a legend on the right.
func SVG(title string, x, y Axis, lines []Series) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 330" role="img" aria-label="%s">`+"\n%s", title, style)
	fmt.Fprintf(&b, `<text class="title" x="%g" y="24">%s</text>`+"\n", left, title)
	for _, t := range y.Ticks {
		at := y.at(t, bottom, top)
		fmt.Fprintf(&b, `<path class="grid" d="M%g %.1fH%g"/><text class="dim" text-anchor="end" x="%g" y="%.1f">%s</text>`+"\n",
			left, at, right, left-8, at+4, fmt.Sprintf(y.Format, t))
	}
	for _, t := range x.Ticks {
		at := x.at(t, left, right)
		fmt.Fprintf(&b, `<text class="dim" text-anchor="middle" x="%.1f" y="%g">%s</text>`+"\n", at, bottom+20, fmt.Sprintf(x.Format, t))
	}
	fmt.Fprintf(&b, `<text class="dim" text-anchor="middle" x="%g" y="%g">%s</text>`+"\n", (left+right)/2, bottom+40, x.Label)
	fmt.Fprintf(&b, `<text class="dim" x="%g" y="%g">%s</text>`+"\n", left-50, top-8, y.Label)
	for i, s := range lines {
		fmt.Fprintf(&b, `<path class="line s%d" d="`, i%colors)
		for j := range s.X {
			fmt.Fprintf(&b, "%c%.1f %.1f", "ML"[min(j, 1)], x.at(s.X[j], left, right), y.at(s.Y[j], bottom, top))
		}
		row := top + 16 + 24*float64(i)
		fmt.Fprintf(&b, `"/><path class="line s%d" d="M580 %gH610"/><text x="618" y="%g">%s</text>`+"\n", i%colors, row, row+4, s.Name)
		for j := range s.DotsX {
			fmt.Fprintf(&b, `<circle class="dot s%d" cx="%.1f" cy="%.1f" r="4"/>`+"\n", i%colors, x.at(s.DotsX[j], left, right), y.at(s.DotsY[j], bottom, top))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}
