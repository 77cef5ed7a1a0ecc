package expr

import (
	"errors"
	"fmt"
)

func bad(err error) Expr { return Expr{&gate{err: err}} }

func leaf(name string) *gate { return &gate{name: name, size: 1} }

// threshold makes the gate "need of kids". It brings equal functions to one
// form as far as that is cheap: a gate with one member is the member, an All in
// an All and an Any in an Any dissolve, and there a node counts once.
func threshold(need int, kids []*gate) *gate {
	if len(kids) == 0 {
		return &gate{err: errors.New("expr: gate has no members")}
	}
	if need < 1 || need > len(kids) {
		return &gate{err: fmt.Errorf("expr: choose %d of %d members, want 1 to %d", need, len(kids), len(kids))}
	}
	for _, kid := range kids {
		if kid == nil {
			return &gate{err: errEmpty}
		}
		if kid.err != nil {
			return kid
		}
	}
	switch {
	case len(kids) == 1:
		return kids[0]
	case need == len(kids):
		kids = dissolve(kids, (*gate).isAll)
		need = len(kids)
	case need == 1:
		kids = dissolve(kids, (*gate).isAny)
	}
	if len(kids) == 1 {
		return kids[0]
	}
	return seal(&gate{need: need, kids: kids})
}

// dissolve replaces the kids of the same kind by their own kids and drops
// repeated nodes. It stops at maxSize, where seal refuses the gate.
func dissolve(kids []*gate, same func(*gate) bool) []*gate {
	var out []*gate
	seen := make(map[string]bool)
	add := func(kid *gate) {
		if kid.name != "" && seen[kid.name] {
			return
		}
		seen[kid.name] = true
		out = append(out, kid)
	}
	for _, kid := range kids {
		if len(out) > maxSize {
			break
		}
		if !same(kid) {
			add(kid)
			continue
		}
		for _, grandkid := range kid.kids {
			add(grandkid)
		}
	}
	return out
}

// seal fills in the size and the depth, and refuses a gate that is too large:
// gates are shared, so that a few lines can name a node 2^60 times.
func seal(g *gate) *gate {
	for _, kid := range g.kids {
		g.size += kid.size
		g.depth = max(g.depth, kid.depth+1)
		if g.size > maxSize || g.depth > maxDepth {
			return &gate{err: fmt.Errorf("%w: want at most %d gates inside each other and %d names", ErrTooComplex, maxDepth, maxSize)}
		}
	}
	return g
}

func (g *gate) isAll() bool { return len(g.kids) > 0 && g.weights == nil && g.need == len(g.kids) }
func (g *gate) isAny() bool { return len(g.kids) > 0 && g.weights == nil && g.need == 1 }

func (g *gate) weight(i int) int {
	if g.weights == nil {
		return 1
	}
	return g.weights[i]
}

func (g *gate) total() int {
	if g.weights == nil {
		return len(g.kids)
	}
	sum := 0
	for _, w := range g.weights {
		sum += w
	}
	return sum
}

func (g *gate) eval(in func(name string) bool) bool {
	if len(g.kids) == 0 {
		return in(g.name)
	}
	got := 0
	for i, kid := range g.kids {
		if kid.eval(in) {
			if got += g.weight(i); got >= g.need {
				return true
			}
		}
	}
	return false
}
