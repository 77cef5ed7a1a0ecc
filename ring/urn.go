package ring

import "math/bits"

// urn holds a number of lots for each node and draws one, each lot with equal
// probability: a Fenwick tree, in which a change and a draw take O(log n) time.
type urn struct {
	lots []int
	tree []int // tree[i] sums the lots of the i&-i nodes up to i-1
	sum  int
}

func newUrn(n int) *urn { return &urn{lots: make([]int, n), tree: make([]int, n+1)} }

// set makes it lots for node i.
func (u *urn) set(i, lots int) {
	more := lots - u.lots[i]
	u.lots[i] = lots
	u.sum += more
	for i++; i < len(u.tree); i += i & -i {
		u.tree[i] += more
	}
}

// draw returns the node of the lot that a random h stands for. There must be one.
func (u *urn) draw(h uint64) int {
	hi, _ := bits.Mul64(h, uint64(u.sum))
	left, i := int(hi), 0
	for step := 1 << bits.Len(uint(len(u.lots))); step > 0; step >>= 1 {
		if next := i + step; next < len(u.tree) && u.tree[next] <= left {
			i = next
			left -= u.tree[next]
		}
	}
	return i
}
