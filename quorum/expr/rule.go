package expr

import (
	"fmt"
	"math/bits"
)

// Rule is an expression compiled for counting votes: voter i is bit i of a
// word. It is what package quorum runs, and for callers that count votes of
// their own. The zero Rule is lost before anybody votes.
//
// A Rule is immutable and safe for concurrent use.
type Rule struct {
	voters uint64
	need   int     // of groups
	only   Group   // the group, if there is just one
	groups []Group // else
	tree   *branch // else: what two levels of thresholds cannot say
}

// Group is a set of voters of which Need must say yes.
type Group struct {
	Mask uint64
	Need int
}

// NewRule returns the rule that needs so many of the groups, each of which
// needs its own number of its voters. The two levels hold counts, zones, joint
// majorities, grids and hierarchies. A number above what there is makes a rule
// that is lost from the start; one below 1 is an error.
func NewRule(need int, groups ...Group) (Rule, error) {
	r := Rule{need: need, groups: groups}
	if need < 1 {
		return Rule{}, fmt.Errorf("expr: rule needs %d groups, want at least 1", need)
	}
	for i, g := range groups {
		if g.Need < 1 {
			return Rule{}, fmt.Errorf("expr: group %d needs %d votes, want at least 1", i, g.Need)
		}
		r.voters |= g.Mask
	}
	if need == 1 && len(groups) == 1 {
		r.only, r.groups = groups[0], nil
	}
	return r, nil
}

// Compile returns the expression as a rule in which nodes[i] is bit i. The
// nodes are at most 64, different, and hold all of e's; bits of others are
// ignored.
func (e Expr) Compile(nodes []string) (Rule, error) {
	if err := e.Err(); err != nil {
		return Rule{}, err
	}
	if len(nodes) > maxNodes {
		return Rule{}, fmt.Errorf("expr: %d nodes to compile for, want at most %d", len(nodes), maxNodes)
	}
	index := make(map[string]int, len(nodes))
	for i, name := range nodes {
		if _, ok := index[name]; ok {
			return Rule{}, fmt.Errorf("expr: node %q is given twice", name)
		}
		index[name] = i
	}
	var voters uint64
	for _, name := range e.Nodes() {
		i, ok := index[name]
		if !ok {
			return Rule{}, fmt.Errorf("expr: node %q of the expression is not among the given", name)
		}
		voters |= 1 << i
	}
	if g, ok := group(e.root, index); ok {
		return NewRule(1, g)
	}
	if e.root.weights == nil {
		groups := make([]Group, 0, len(e.root.kids))
		for _, kid := range e.root.kids {
			g, ok := group(kid, index)
			if !ok {
				break
			}
			groups = append(groups, g)
		}
		if len(groups) == len(e.root.kids) {
			return NewRule(e.root.need, groups...)
		}
	}
	tree := compile(e.root, index)
	return Rule{voters: voters, tree: &tree}, nil
}

// group turns a node, or a threshold of different nodes, into a Group.
func group(g *gate, index map[string]int) (Group, bool) {
	if len(g.kids) == 0 {
		return Group{1 << index[g.name], 1}, true
	}
	var mask uint64
	for _, kid := range g.kids {
		bit := uint64(1) << index[kid.name]
		if len(kid.kids) > 0 || mask&bit != 0 {
			return Group{}, false
		}
		mask |= bit
	}
	return Group{mask, g.need}, g.weights == nil
}

// Decide counts votes: [Won] when yes holds a quorum, [Lost] when the voters
// without those in no cannot, else [Pending]. It allocates nothing.
func (r Rule) Decide(yes, no uint64) Outcome {
	switch {
	case r.ok(yes):
		return Won
	case !r.ok(r.voters &^ no):
		return Lost
	}
	return Pending
}

func (r *Rule) ok(set uint64) bool {
	if r.only.Need > 0 {
		return bits.OnesCount64(set&r.only.Mask) >= r.only.Need
	}
	if r.tree != nil {
		return r.tree.ok(set)
	}
	got := 0
	for _, g := range r.groups {
		if bits.OnesCount64(set&g.Mask) >= g.Need {
			got++
		}
	}
	return r.need > 0 && got >= r.need
}

// branch is a gate over bits: the voters in mask count one each, every
// satisfied kid counts its weight.
type branch struct {
	mask   uint64
	need   int
	weight int
	kids   []branch
}

func compile(g *gate, index map[string]int) branch {
	if len(g.kids) == 0 {
		return branch{mask: 1 << index[g.name], need: 1}
	}
	b := branch{need: g.need}
	for i, kid := range g.kids {
		k := compile(kid, index)
		k.weight = g.weight(i)
		if len(kid.kids) == 0 && k.weight == 1 && b.mask&k.mask == 0 {
			b.mask |= k.mask
			continue
		}
		b.kids = append(b.kids, k)
	}
	return b
}

func (b *branch) ok(set uint64) bool {
	got := bits.OnesCount64(set & b.mask)
	for i := 0; i < len(b.kids) && got < b.need; i++ {
		if b.kids[i].ok(set) {
			got += b.kids[i].weight
		}
	}
	return got >= b.need
}
