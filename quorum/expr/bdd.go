package expr

// maxDiagram is how many nodes, and how many remembered steps, a diagram may
// have. A threshold of n nodes takes n².
const maxDiagram = 1 << 20

// diagram is a store of reduced ordered binary decision diagrams over the
// nodes of an expression, in their order (Bryant 1986): equal functions are
// the same number. 0 is false, 1 is true. When it overflows it sets full, and
// what it returns from then on means nothing.
type diagram struct {
	index map[string]int32
	at    []vertex
	known map[vertex]int32
	memo  map[[3]int32]int32
	full  bool
}

// vertex asks whether the set has the node of its level.
type vertex struct{ level, no, yes int32 }

func newDiagram(nodes []string) *diagram {
	d := &diagram{
		index: make(map[string]int32, len(nodes)),
		known: make(map[vertex]int32),
		memo:  make(map[[3]int32]int32),
	}
	for i, name := range nodes {
		d.index[name] = int32(i)
	}
	end := vertex{level: int32(len(nodes))}
	d.at = append(d.at, end, end)
	return d
}

func (d *diagram) node(v vertex) int32 {
	if v.no == v.yes {
		return v.no
	}
	return d.intern(v)
}

func (d *diagram) intern(v vertex) int32 {
	if i, ok := d.known[v]; ok {
		return i
	}
	if d.full = d.full || len(d.at) >= maxDiagram; d.full {
		return 0
	}
	i := int32(len(d.at))
	d.at = append(d.at, v)
	d.known[v] = i
	return i
}

// ite is "if f then g else h", from which everything else is made.
func (d *diagram) ite(f, g, h int32) int32 {
	switch {
	case f == 1 || g == h:
		return g
	case f == 0:
		return h
	case g == 1 && h == 0:
		return f
	}
	key := [3]int32{f, g, h}
	if r, ok := d.memo[key]; ok {
		return r
	}
	if d.full = d.full || len(d.memo) >= 4*maxDiagram; d.full {
		return 0
	}
	level := min(d.at[f].level, d.at[g].level, d.at[h].level)
	f0, f1 := d.split(f, level)
	g0, g1 := d.split(g, level)
	h0, h1 := d.split(h, level)
	r := d.node(vertex{level, d.ite(f0, g0, h0), d.ite(f1, g1, h1)})
	d.memo[key] = r
	return r
}

func (d *diagram) split(f, level int32) (no, yes int32) {
	if d.at[f].level == level {
		return d.at[f].no, d.at[f].yes
	}
	return f, f
}

// build adds the function of a gate. A threshold is decided member by member:
// what matters is only how much is still needed.
func (d *diagram) build(g *gate) int32 {
	if len(g.kids) == 0 {
		return d.node(vertex{d.index[g.name], 0, 1})
	}
	kids := make([]int32, len(g.kids))
	rest := make([]int, len(g.kids)+1) // weight of the members from i on
	for i := len(kids) - 1; i >= 0; i-- {
		kids[i] = d.build(g.kids[i])
		rest[i] = rest[i+1] + g.weight(i)
	}
	type state struct{ i, need int }
	memo := make(map[state]int32)
	var from func(i, need int) int32
	from = func(i, need int) int32 {
		if need <= 0 {
			return 1
		}
		if rest[i] < need || d.full {
			return 0
		}
		s := state{i, need}
		if r, ok := memo[s]; ok {
			return r
		}
		d.full = d.full || len(memo) >= maxDiagram
		r := d.ite(kids[i], from(i+1, need-g.weight(i)), from(i+1, need))
		memo[s] = r
		return r
	}
	return from(0, g.need)
}
