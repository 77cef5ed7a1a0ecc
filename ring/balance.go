package ring

import "math/bits"

// WithTolerance takes the best that it has after so many rounds, or after so many
// that found nothing better.
const (
	balanceRounds = 60
	patientRounds = 10
)

// buildBalanced returns the ring of nodes in which the number of each node's
// tokens is such that its share is within the tolerance of its fair share.
//
// It starts with what the weights ask for and repeats: a node whose share is
// outside gets more tokens of its stream, or fewer, aiming at a point just
// inside. Nothing but the membership enters, so the result has no history; and
// all is computed in integers or in float operations that round alike
// everywhere, so that it is the same on every architecture.
func buildBalanced(c config, nodes []Node, counts []int) (*Ring, error) {
	fair := fairShares(nodes)
	eps := uint64(c.tolerance * 0x1p64)
	var best []uint64
	var least imbalance
	for round, found := 0, 0; round < balanceRounds && round-found <= patientRounds; round++ {
		total := 0
		for _, n := range counts {
			total += n
		}
		if total > maxTokens && round > 0 {
			break
		}
		points, err := c.points(nodes, counts)
		if err != nil {
			return nil, err
		}
		now := adjust(counts, shares(points, len(nodes)), fair, eps)
		if round == 0 || now.less(least) {
			best, least, found = points, now, round
		}
		if now.outside == 0 {
			break
		}
	}
	return assemble(c, nodes, best), nil
}

// fairShares returns what part of the circle each node's weight stands for, in
// units of 2^-64, and nothing where there is nothing to balance.
func fairShares(nodes []Node) []uint64 {
	if len(nodes) < 2 {
		return nil
	}
	sum := 0.0
	for _, n := range nodes {
		sum += n.Weight
	}
	fair := make([]uint64, len(nodes))
	for i, n := range nodes {
		fair[i] = max(1, uint64(min(n.Weight/sum*0x1p64, 0x1.fffffffffffffp63)))
	}
	return fair
}

// shares returns the sum of the arcs of each of n > 1 nodes.
func shares(points []uint64, n int) []uint64 {
	s := make([]uint64, n)
	if len(points) == 0 {
		return s
	}
	prev := points[len(points)-1]
	for _, p := range points {
		s[p&nodeMask] += p&^nodeMask - prev&^nodeMask
		prev = p
	}
	return s
}

// imbalance is how many nodes are outside, and how far the worst of them is from
// its fair share, relatively, in units of 2^-64.
type imbalance struct {
	outside int
	worst   uint64
}

func (a imbalance) less(b imbalance) bool {
	return a.outside < b.outside || a.outside == b.outside && a.worst < b.worst
}

// adjust changes the counts of nodes whose share is further than eps from the
// fair one, and returns how it was before.
func adjust(counts []int, share, fair []uint64, eps uint64) (now imbalance) {
	for i, f := range fair {
		s := share[i]
		d := ratio(max(s, f)-min(s, f), f)
		if d <= eps {
			continue
		}
		now.outside++
		now.worst = max(now.worst, d)
		// The target is 0.9 eps from the fair share; the step goes 0.7 of the way,
		// for a node's neighbors move as well.
		margin, _ := bits.Mul64(f, eps/10*9)
		k := uint64(counts[i])
		if s < f {
			counts[i] += int(max(1, step(k, f-margin-s, s)))
		} else if k > 1 {
			counts[i] -= int(max(1, min(step(k, s-f-margin, s), k/2)))
		}
	}
	return now
}

// ratio returns a/b in units of 2^-64, at most the largest uint64.
func ratio(a, b uint64) uint64 {
	if a >= b {
		return ^uint64(0)
	}
	q, _ := bits.Div64(a, 0, b)
	return q
}

// step returns 0.7 k d/s, at most k.
func step(k, d, s uint64) uint64 {
	hi, lo := bits.Mul64(7*k, d)
	if hi >= s {
		return k
	}
	q, _ := bits.Div64(hi, lo, s)
	return min(q/10, k)
}
