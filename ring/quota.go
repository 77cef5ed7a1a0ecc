package ring

import (
	"cmp"
	"math/big"
	"slices"
)

// span says how many of a partition's replicas a zone holds.
type span struct{ low, high int }

// spans applies the zone rule to the first copies nodes of a list: every zone has
// the same number of nodes in it or one more, or else all that it has.
func (z *zoning) spans(copies int) []span {
	if z.of == nil {
		return []span{{copies, copies}}
	}
	even := 0 // nodes that every zone gives, if it has them
	for even+1 < len(z.levels) && z.levels[even+1] <= copies {
		even++
	}
	more := 0
	if z.levels[even] < copies {
		more = 1
	}
	spans := make([]span, z.count)
	for _, zone := range z.of {
		s := &spans[zone]
		s.high++ // counts the nodes of the zone, until the loop below makes bounds of that
	}
	for i, s := range spans {
		spans[i] = span{min(s.high, even), min(s.high, even+more)}
	}
	return spans
}

// quota is how many replicas a node has to hold: its share, rounded down or up.
type quota struct{ low, high int }

// class is the nodes of one zone and one weight, which have one share.
type class struct {
	zone    int
	weight  *big.Rat
	members []int
}

// quotas returns what part of all replicas each node has to hold. Shares follow
// weights as far as the zone rule and one replica a partition allow: there is one
// level such that every node holds its weight times the level, but at most all
// partitions, and every zone in which these sums would be less or more than the
// zone may hold has a higher or a lower level of its own. All is exact, so that
// no rounding decides, and the quotas can be met: each partition might hold of
// each node the same fraction of a replica, and where a flow in fractions exists,
// one in whole numbers does.
func quotas(nodes []Node, z *zoning, spans []span, partitions, copies int) []quota {
	classes := classify(nodes, z)
	full := big.NewRat(int64(partitions), 1)
	low, high := make([]*big.Rat, len(spans)), make([]*big.Rat, len(spans)) // levels, by zone
	var all []bend
	held := 0
	for rest := classes; len(rest) > 0; {
		zone, n := rest[0].zone, 1
		for n < len(rest) && rest[n].zone == zone {
			n++
		}
		var own []bend
		for _, c := range rest[:n] {
			own = c.appendBends(own, new(big.Rat), c.end(full))
		}
		s := spans[zone]
		low[zone], high[zone] = levelOf(0, own, s.low*partitions), levelOf(0, own, s.high*partitions)
		for _, c := range rest[:n] {
			all = c.appendBends(all, low[zone], least(high[zone], c.end(full)))
		}
		held += s.low * partitions
		rest = rest[n:]
	}
	level := levelOf(held, all, copies*partitions)
	q := make([]quota, len(nodes))
	for _, c := range classes {
		own := least(most(level, low[c.zone]), high[c.zone])
		share := least(new(big.Rat).Mul(c.weight, own), full)
		down, rest := new(big.Int).QuoRem(share.Num(), share.Denom(), new(big.Int))
		each := quota{int(down.Int64()), int(down.Int64()) + rest.Sign()}
		for _, i := range c.members {
			q[i] = each
		}
	}
	return q
}

func classify(nodes []Node, z *zoning) []class {
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	compare := func(i, j int) int {
		return cmp.Or(cmp.Compare(z.zone(i), z.zone(j)), cmp.Compare(nodes[i].Weight, nodes[j].Weight))
	}
	slices.SortStableFunc(order, compare)
	var classes []class
	for k, i := range order {
		if k == 0 || compare(order[k-1], i) != 0 {
			classes = append(classes, class{zone: z.zone(i), weight: new(big.Rat).SetFloat64(nodes[i].Weight)})
		}
		c := &classes[len(classes)-1]
		c.members = append(c.members, i)
	}
	return classes
}

// bend is where a sum that grows with the level begins to grow faster or slower.
type bend struct{ at, by *big.Rat }

// end returns the level at which nodes of the class are full.
func (c *class) end(full *big.Rat) *big.Rat { return new(big.Rat).Quo(full, c.weight) }

// appendBends appends where a class begins to grow and where it stops.
func (c *class) appendBends(bends []bend, from, to *big.Rat) []bend {
	if from.Cmp(to) >= 0 {
		return bends
	}
	by := new(big.Rat).Mul(c.weight, big.NewRat(int64(len(c.members)), 1))
	return append(bends, bend{from, by}, bend{to, new(big.Rat).Neg(by)})
}

// levelOf returns the level at which a sum reaches the target that is start at
// level 0 and bends as told.
func levelOf(start int, bends []bend, target int) *big.Rat {
	slices.SortStableFunc(bends, func(a, b bend) int { return a.at.Cmp(b.at) })
	left := big.NewRat(int64(target-start), 1)
	level, slope, step := new(big.Rat), new(big.Rat), new(big.Rat)
	for _, b := range bends {
		step.Mul(slope, step.Sub(b.at, level))
		if step.Cmp(left) >= 0 {
			break
		}
		left.Sub(left, step)
		level = b.at
		slope.Add(slope, b.by)
	}
	if left.Sign() > 0 {
		level = new(big.Rat).Add(level, left.Quo(left, slope))
	}
	return level
}

func least(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) <= 0 {
		return a
	}
	return b
}

func most(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) >= 0 {
		return a
	}
	return b
}
