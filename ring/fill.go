package ring

import (
	"slices"

	"github.com/distkit/distkit/internal/hash64"
)

// filler makes an assignment that is nearly good: it keeps what is there as far as
// the zone rule allows, gives the nodes that lack replicas those of nodes that
// have too many, and what nobody holds any more. Nodes are drawn with chances
// after what they lack, so that the partitions of one node have their other
// replicas on all others, and these share its work when it fails.
type filler struct {
	*assignment
	lack, room *urn // replicas that nodes lack to their lower quota, and from there to the upper one
	spare      int  // nodes of a partition that exceed the low end of their zone's span
	state      uint64
	rest       []int32 // scratch
}

func (a *assignment) fill(seed uint64) {
	f := &filler{assignment: a, lack: newUrn(len(a.loads)), room: newUrn(len(a.loads)), spare: a.copies, state: seed}
	for _, s := range a.spans {
		f.spare -= s.low
	}
	for i := range a.loads {
		f.count(i, 0)
	}
	for p := range a.partitions() {
		f.keep(p)
	}
	// What serves two ends is done first: a replica that has to go anyway, or has
	// nobody, for a node that lacks one.
	f.relieve(excess, f.lack)
	f.tour(f.complete)
	f.relieve(excess, f.room)
	f.relieve(surplus, f.lack)
}

// tour visits all partitions, from a random one in steps of odd length, which
// meets all of a power of two: so it is not always the same ones that move first.
func (f *filler) tour(visit func(p int)) {
	last := f.partitions() - 1
	at, step := int(f.random()>>33), int(f.random()>>33)|1
	for range f.partitions() {
		visit(at & last)
		at = at&last + step
	}
}

func (f *filler) random() uint64 {
	f.state += golden
	return hash64.Mix(f.state, hash64.SaltRing)
}

// count adds to the load of a node.
func (f *filler) count(node, by int) {
	f.loads[node] += by
	load, q := f.loads[node], f.quotas[node]
	f.lack.set(node, max(0, q.low-load))
	f.room.set(node, max(0, q.high-max(load, q.low)))
}

// keep makes the row of p of the nodes that held it, as far as they are still
// there and the zone rule allows it, and leaves places free behind them.
func (f *filler) keep(p int) {
	row, n := f.row(p), 0
	for k := range row {
		row[k] = -1
	}
	for _, i := range f.held(p) {
		if i >= 0 && n < len(row) && f.takes(row[:n], int(i)) {
			row[n] = i
			n++
			f.count(int(i), 1)
		}
	}
}

// takes tells whether node, which is in no place of row, may get one.
func (f *filler) takes(row []int32, node int) bool {
	zone, count, spare := f.zones.zone(node), 0, f.spare
	for k, i := range row {
		z := f.zones.zone(int(i))
		if z == zone {
			count++
		}
		// The nodes of each zone so far, this one included.
		nth := 1
		for _, j := range row[:k] {
			if f.zones.zone(int(j)) == z {
				nth++
			}
		}
		if nth > f.spans[z].low {
			spare--
		}
	}
	s := f.spans[zone]
	return count < s.low || count < s.high && spare > 0
}

// excess is by how many replicas a load is above the quota, surplus by how many it
// is above the least that the quota asks for.
func excess(load int, q quota) int  { return load - q.high }
func surplus(load int, q quota) int { return load - q.low }

// relieve gives replicas of nodes that have too many of them to such that are
// drawn from to, as far as that goes. It does so once a partition and tour, or the
// first partitions would move as a whole.
func (f *filler) relieve(tooMany func(load int, q quota) int, to *urn) {
	for moved := true; moved && to.sum > 0; {
		moved = false
		f.tour(func(p int) { moved = to.sum > 0 && f.relieveOne(p, tooMany, to) || moved })
	}
}

func (f *filler) relieveOne(p int, tooMany func(load int, q quota) int, to *urn) bool {
	row := f.row(p)
	over, most := -1, 0
	for k, i := range row {
		if i >= 0 && tooMany(f.loads[i], f.quotas[i]) > most {
			over, most = k, tooMany(f.loads[i], f.quotas[i])
		}
	}
	if over < 0 {
		return false
	}
	out := row[over]
	f.rest = slices.DeleteFunc(append(f.rest[:0], row...), func(i int32) bool { return i < 0 || i == out })
	in := f.find(to, f.rest)
	if in < 0 {
		return false
	}
	row[over] = int32(in)
	f.count(int(out), -1)
	f.count(in, 1)
	return true
}

// complete fills the places of p that are free.
func (f *filler) complete(p int) {
	row := f.row(p)
	for k, i := range row {
		if i >= 0 {
			continue
		}
		in := f.find(f.lack, row[:k])
		if in < 0 {
			in = f.find(f.room, row[:k])
		}
		if in < 0 {
			in = f.any(row[:k])
		}
		row[k] = int32(in)
		f.count(in, 1)
	}
}

// find draws a node that may join row. It returns -1 if it cannot find one soon.
func (f *filler) find(from *urn, row []int32) int {
	const tries = 16
	for range tries {
		if from.sum == 0 {
			break
		}
		if i := from.draw(f.random()); !slices.Contains(row, int32(i)) && f.takes(row, i) {
			return i
		}
	}
	return -1
}

// any returns the node that may join row and is the least above its quota.
func (f *filler) any(row []int32) int {
	best := -1
	for i, load := range f.loads {
		better := best < 0 || load-f.quotas[i].high < f.loads[best]-f.quotas[best].high
		if better && !slices.Contains(row, int32(i)) && f.takes(row, i) {
			best = i
		}
	}
	return best
}
