// Command figures draws the pictures of the documentation from the packages
// themselves, so that they cannot say what is not so. Run it in the module's
// root: go run ./internal/cmd/figures
package main

import (
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/ring"
)

// figures are the files to draw. A test compares them with the documentation.
var figures = map[string]func() (string, error){
	"docs/bloom.svg":          bloomFigure,
	"docs/hll.svg":            hllFigure,
	"docs/merkle.svg":         merkleFigure,
	"docs/quorum/layouts.svg": layoutsFigure,
	"docs/quorum/stale.svg":   staleFigure,
	"docs/ratelimit.svg":      reorderFigure,
	"docs/ring.svg":           ringFigure,
}

// loose are drawn like the others and compared by nobody: an Adaptive cache may
// become cleverer in any release, and misses less then.
var loose = map[string]func() (string, error){"docs/lru.svg": hitsFigure}

func main() {
	maps.Copy(figures, loose)
	for path, draw := range figures {
		svg, err := draw()
		if err == nil {
			err = os.WriteFile(path, []byte(svg), 0o644)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

// style follows the reader's choice of light or dark; the colors are Okabe and
// Ito's, which color-blind readers can tell apart.
const style = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1b1f24; }
  .dim { fill: #57606a; } .line { stroke: #57606a; fill: none; }
  .n0 { --c: #0072b2; } .n1 { --c: #e69f00; } .n2 { --c: #009e73; } .n3 { --c: #cc79a7; } .n4 { --c: #d55e00; }
  .arc { stroke: var(--c); stroke-width: 16; fill: none; } .dot { fill: var(--c); }
  .key { fill: #1b1f24; } .walk { stroke: #1b1f24; stroke-width: 1.5; fill: none; }
  @media (prefers-color-scheme: dark) {
    text, .key { fill: #e6edf3; } .dim { fill: #9aa5b1; } .line { stroke: #9aa5b1; } .walk { stroke: #e6edf3; }
  }
</style>
`

// ringFigure draws a ring of five nodes in three zones, and a key with its three
// owners.
func ringFigure() (string, error) {
	zones := []string{"a", "b", "c", "a", "b"}
	var nodes []ring.Node
	for i, zone := range zones {
		nodes = append(nodes, ring.Node{ID: fmt.Sprintf("node-%d", i+1), Zone: zone})
	}
	r, err := ring.New(nodes, ring.WithVirtualNodes(5))
	if err != nil {
		return "", err
	}
	const key = "user:1042"
	h := distkit.HashString(key)
	owners := r.AppendLocate(nil, h, 3)

	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 320" role="img" aria-label="A hash ring: five nodes in three zones own arcs; a key goes clockwise to its owner, and on to two more in other zones">` + "\n" + style)
	const cx, cy, radius = 160.0, 160.0, 118.0
	at := func(turn, r float64) (float64, float64) {
		return cx + r*math.Sin(2*math.Pi*turn), cy - r*math.Cos(2*math.Pi*turn)
	}
	turn := func(h uint64) float64 { return float64(h) / math.MaxUint64 }
	type point struct {
		end  float64
		node string
	}
	var points []point
	for token, node := range r.Tokens() {
		points = append(points, point{turn(token), node.ID})
	}
	index := func(id string) int { return slices.IndexFunc(nodes, func(n ring.Node) bool { return n.ID == id }) }
	start := points[len(points)-1].end - 1
	for _, p := range points {
		x0, y0 := at(start+0.002, radius)
		x1, y1 := at(p.end-0.002, radius)
		large := 0
		if p.end-start > 0.5 {
			large = 1
		}
		fmt.Fprintf(&b, `<path class="arc n%d" d="M%.1f %.1fA%g %g 0 %d 1 %.1f %.1f"/>`+"\n", index(p.node), x0, y0, radius, radius, large, x1, y1)
		start = p.end
	}
	// The walk from the key's position to the tokens of its owners.
	x, y := at(turn(h), radius+24)
	fmt.Fprintf(&b, `<circle class="key" cx="%.1f" cy="%.1f" r="4"/><text x="%.1f" y="%.1f">%s</text>`+"\n", x, y, x+10, y+4, key)
	begin := turn(h)
	for rank, owner := range owners {
		end := walkTo(begin, turn, r, r.Node(owner).ID)
		x0, y0 := at(turn(h), radius-22-float64(9*rank))
		x1, y1 := at(end, radius-22-float64(9*rank))
		large := 0
		if end-turn(h) > 0.5 {
			large = 1
		}
		rr := radius - 22 - float64(9*rank)
		fmt.Fprintf(&b, `<path class="walk" d="M%.1f %.1fA%g %g 0 %d 1 %.1f %.1f"/><circle class="dot n%d" cx="%.1f" cy="%.1f" r="6"/>`+"\n",
			x0, y0, rr, rr, large, x1, y1, index(r.Node(owner).ID), x1, y1)
	}
	fmt.Fprintf(&b, `<text x="410" y="62">distkit.HashString(%q) is a place on the ring.</text>`+"\n", key)
	for rank, owner := range owners {
		n := r.Node(owner)
		y := 96 + 28*rank
		what := "owner"
		if rank > 0 {
			what = fmt.Sprintf("copy %d", rank+1)
		}
		fmt.Fprintf(&b, `<circle class="dot n%d" cx="418" cy="%d" r="6"/><text x="434" y="%d">%s, zone %s: %s</text>`+"\n", index(n.ID), y-4, y, n.ID, n.Zone, what)
	}
	for i, line := range []string{"Clockwise, the first token decides; the next copies", "go to nodes of other zones as long as there are any.", "A node that joins takes keys; nothing else moves."} {
		fmt.Fprintf(&b, `<text class="dim" x="410" y="%d">%s</text>`+"\n", 196+20*i, line)
	}
	b.WriteString("</svg>\n")
	return b.String(), nil
}

// walkTo returns where, clockwise from begin, the next token of the node stands,
// in turns that may pass 1.
func walkTo(begin float64, turn func(uint64) float64, r *ring.Ring, id string) float64 {
	best := begin + 1
	for token, node := range r.Tokens() {
		if node.ID != id {
			continue
		}
		end := turn(token)
		if end < begin {
			end++
		}
		best = min(best, end)
	}
	return best
}
