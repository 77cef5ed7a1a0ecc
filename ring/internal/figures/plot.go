package main

import (
	"fmt"
	"math"
	"strings"
)

// series is a line of a plot.
type series struct {
	name string
	x, y []float64
}

// axis maps values to a side of the plot.
type axis struct {
	label    string
	min, max float64
	log      bool
	ticks    []float64
	format   string
}

func (a axis) at(v, from, to float64) float64 {
	lo, hi := a.min, a.max
	if a.log {
		v, lo, hi = math.Log(v), math.Log(lo), math.Log(hi)
	}
	return from + (to-from)*(v-lo)/(hi-lo)
}

const (
	left, right, top, bottom = 62.0, 560.0, 48.0, 280.0
	colors                   = 5
)

// style reads in light and dark, and without colors, for lines differ in dashes.
const style = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1b1f24; } .dim { fill: #57606a; } .title { font-weight: 600; }
  .grid { stroke: #d0d7de; } .line { fill: none; stroke-width: 2; stroke: var(--c); }
  .s0 { --c: #0072b2; } .s1 { --c: #e69f00; stroke-dasharray: 7 3; } .s2 { --c: #009e73; stroke-dasharray: 2 3; }
  .s3 { --c: #cc79a7; stroke-dasharray: 9 3 2 3; } .s4 { --c: #d55e00; stroke-dasharray: 4 4; }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .dim { fill: #9aa5b1; } .grid { stroke: #30363d; } }
</style>
`

// plot draws lines over a grid, with a legend on the right.
func plot(title string, x, y axis, lines []series) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 330" role="img" aria-label="%s">`+"\n%s", title, style)
	fmt.Fprintf(&b, `<text class="title" x="%g" y="24">%s</text>`+"\n", left, title)
	for _, t := range y.ticks {
		at := y.at(t, bottom, top)
		fmt.Fprintf(&b, `<path class="grid" d="M%g %.1fH%g"/><text class="dim" text-anchor="end" x="%g" y="%.1f">%s</text>`+"\n",
			left, at, right, left-8, at+4, fmt.Sprintf(y.format, t))
	}
	for _, t := range x.ticks {
		at := x.at(t, left, right)
		fmt.Fprintf(&b, `<text class="dim" text-anchor="middle" x="%.1f" y="%g">%s</text>`+"\n", at, bottom+20, fmt.Sprintf(x.format, t))
	}
	fmt.Fprintf(&b, `<text class="dim" text-anchor="middle" x="%g" y="%g">%s</text>`+"\n", (left+right)/2, bottom+40, x.label)
	fmt.Fprintf(&b, `<text class="dim" x="%g" y="%g">%s</text>`+"\n", left-50, top-8, y.label)
	for i, s := range lines {
		fmt.Fprintf(&b, `<path class="line s%d" d="`, i%colors)
		for j := range s.x {
			fmt.Fprintf(&b, "%c%.1f %.1f", "ML"[min(j, 1)], x.at(s.x[j], left, right), y.at(s.y[j], bottom, top))
		}
		row := top + 16 + 24*float64(i)
		fmt.Fprintf(&b, `"/><path class="line s%d" d="M580 %gH610"/><text x="618" y="%g">%s</text>`+"\n", i%colors, row, row+4, s.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}
