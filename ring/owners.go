package ring

import "slices"

// leaders chooses which of the nodes that hold a partition is its owner, so that
// every node owns its part of the partitions that it holds, rounded down or up,
// and as few partitions as possible change their owner.
type leaders struct {
	of     *assignment
	owners []int32 // by partition
	*flow
}

func (a *assignment) lead() []int32 {
	n := len(a.loads)
	quotas := make([]quota, n)
	for i, load := range a.loads {
		quotas[i] = quota{load / a.copies, (load + a.copies - 1) / a.copies}
	}
	l := &leaders{of: a, owners: make([]int32, a.partitions())}
	l.flow = newFlow(l, make([]int, n), quotas, a.partitions())
	l.begin()
	l.settle(false)
	l.settle(true)
	l.minimize()
	return l.owners
}

func (l *leaders) partitions() int { return len(l.owners) }

func (l *leaders) partitionOf(vertex int) int { return vertex - l.hub() - 1 }

func (l *leaders) canExchange(p, out, in int) bool {
	return l.owners[p] == int32(out) && slices.Contains(l.of.row(p), int32(in))
}

// costs returns by how many there are more changes of owners when node in owns p
// in the place of node out.
func (l *leaders) costs(p, out, in int) (changes int) {
	switch l.was(p) {
	case int32(out):
		return 1
	case int32(in):
		return -1
	}
	return 0
}

func (l *leaders) exchange(p, _, in int) { l.owners[p] = int32(in) }

// was returns who owned p before, -1 if it is gone or nobody did.
func (l *leaders) was(p int) int32 {
	if l.of.width == 0 {
		return -1
	}
	return l.of.held(p)[0]
}

// begin lets owners stay where they hold the partition, and gives the others to
// the node that lacks the most.
func (l *leaders) begin() {
	for p := range l.owners {
		l.owners[p] = -1
		if was := l.was(p); was >= 0 && slices.Contains(l.of.row(p), was) {
			l.owners[p] = was
			l.loads[was]++
		}
	}
	for p, owner := range l.owners {
		if owner >= 0 {
			continue
		}
		best := l.of.row(p)[0]
		for _, i := range l.of.row(p)[1:] {
			if l.loads[i]-l.quotas[i].high < l.loads[best]-l.quotas[best].high {
				best = i
			}
		}
		l.owners[p] = best
		l.loads[best]++
	}
}

// settle passes partitions on to a node that lacks some from an owner that has
// more, while there are any: first those whose owner is a new one anyway.
func (l *leaders) settle(kept bool) {
	for passed := true; passed; {
		passed = false
		for p, owner := range l.owners {
			if (owner == l.was(p)) != kept || l.gain(int(owner), -1) > 0 {
				continue
			}
			for _, i := range l.of.row(p) {
				if i != owner && l.gain(int(owner), -1)+l.gain(int(i), 1) < 0 {
					l.owners[p] = i
					l.loads[owner]--
					l.loads[i]++
					passed = true
					break
				}
			}
		}
	}
}

// relax shortens paths by the arcs of all partitions: from the owner to the
// others that hold it. Owners that change cost what moves do.
func (l *leaders) relax() (shorter bool) {
	for p, owner := range l.owners {
		part, was := l.hub()+1+p, l.was(p)
		cost := int64(0)
		if owner == was {
			cost = 1
		}
		shorter = l.shorten(int(owner), part, cost) || shorter
		for _, i := range l.of.row(p) {
			cost := int64(0)
			if i == was {
				cost = -1
			}
			if i != owner {
				shorter = l.shorten(part, int(i), cost) || shorter
			}
		}
	}
	return shorter
}
