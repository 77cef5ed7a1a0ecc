package smt

// Spoil makes every node that a and b share useless: whoever looks at one fails.
// It returns how many there are. All hashes must be known.
func Spoil(a, b *Map) (spoiled int) {
	seen := map[*node]bool{}
	var walk func(n *node, visit func(*node))
	walk = func(n *node, visit func(*node)) {
		if n == nil {
			return
		}
		children := n.child
		visit(n)
		walk(children[0], visit)
		walk(children[1], visit)
	}
	walk(a.root, func(n *node) { seen[n] = true })
	walk(b.root, func(n *node) {
		if seen[n] {
			n.bit, n.child = depth+1, [2]*node{}
			spoiled++
		}
	})
	return spoiled
}
