package lru

// arc is ARC as Megiddo and Modha print it (FAST 2003), with whole numbers.
type arc struct {
	lists
	capacity int
	target   int // for arcOnce
}

const (
	arcOnce     = iota + 1 // T1: asked for once lately
	arcTwice               // T2
	arcOnceGone            // B1: names of what left arcOnce
	arcTwiceGone
)

func newARC(capacity, keys int) reference { return &arc{newLists(keys), capacity, 0} }

func (r *arc) ask(key int32) bool {
	switch r.in[key] {
	case arcOnce, arcTwice:
		r.move(arcTwice, key)
		return true
	case arcOnceGone:
		r.target = min(r.capacity, r.target+max(1, r.len[arcTwiceGone]/r.len[arcOnceGone]))
		r.replace(false)
		r.move(arcTwice, key)
		return false
	case arcTwiceGone:
		r.target = max(0, r.target-max(1, r.len[arcOnceGone]/r.len[arcTwiceGone]))
		r.replace(true)
		r.move(arcTwice, key)
		return false
	}
	r.makeRoom()
	r.push(arcOnce, key)
	return false
}

func (r *arc) makeRoom() {
	once, twice := r.len[arcOnce]+r.len[arcOnceGone], r.len[arcTwice]+r.len[arcTwiceGone]
	switch {
	case once == r.capacity && r.len[arcOnce] == r.capacity:
		r.pop(arcOnce)
	case once == r.capacity:
		r.pop(arcOnceGone)
		r.replace(false)
	case once+twice >= r.capacity:
		if once+twice == 2*r.capacity {
			r.pop(arcTwiceGone)
		}
		r.replace(false)
	}
}

func (r *arc) replace(twiceGone bool) {
	once := r.len[arcOnce]
	if once > 0 && (once > r.target || twiceGone && once == r.target) {
		r.move(arcOnceGone, r.oldest(arcOnce))
	} else {
		r.move(arcTwiceGone, r.oldest(arcTwice))
	}
}
