package lru

// lirs is LIRS (Jiang and Zhang, SIGMETRICS 2002): the keys that were asked for again
// soonest are hot and fill all but a hundredth, what is cold is evicted first come,
// first served, and names of twice as many keys as there is room for are kept.
type lirs struct {
	stack lists // all keys that may become hot, by their last use
	queue lists // the cold that are resident
	gone  lists // the cold of the stack that are not

	capacity, cold int
	hot, resident  []bool
	hots, held     int
}

func newLIRS(capacity, keys int) reference {
	return &lirs{
		stack: newLists(keys), queue: newLists(keys), gone: newLists(keys),
		capacity: capacity, cold: max(1, capacity/100), hot: make([]bool, keys), resident: make([]bool, keys),
	}
}

func (r *lirs) ask(key int32) bool {
	if r.resident[key] {
		switch {
		case r.hot[key]:
			r.stack.move(1, key)
			r.prune()
		case r.stack.in[key] != 0:
			r.queue.pull(key)
			r.stack.move(1, key)
			r.heat(key)
		default:
			r.queue.move(1, key)
			r.stack.push(1, key)
		}
		return true
	}
	if r.held == r.capacity {
		r.evict()
	}
	r.resident[key] = true
	r.held++
	known := r.stack.in[key] != 0
	if known {
		r.gone.pull(key)
		r.stack.pull(key)
	}
	r.stack.push(1, key)
	if known || r.hots < r.capacity-r.cold {
		r.heat(key)
	} else {
		r.queue.push(1, key)
	}
	return false
}

// heat makes a key of the stack hot, and the coldest of the hot cold if there are too
// many.
func (r *lirs) heat(key int32) {
	r.hot[key] = true
	if r.hots++; r.hots > r.capacity-r.cold {
		r.cool()
	}
}

func (r *lirs) cool() {
	key := r.stack.pop(1) // hot, as the last of the stack always is
	r.hot[key] = false
	r.hots--
	r.queue.push(1, key)
	r.prune()
}

// prune takes out what is older than the oldest hot key.
func (r *lirs) prune() {
	for r.stack.len[1] > 0 && !r.hot[r.stack.oldest(1)] {
		key := r.stack.pop(1)
		if r.gone.in[key] != 0 {
			r.gone.pull(key)
		}
	}
}

func (r *lirs) evict() {
	if r.queue.len[1] == 0 {
		r.cool()
	}
	key := r.queue.pop(1)
	r.resident[key] = false
	r.held--
	if r.stack.in[key] == 0 {
		return
	}
	r.gone.push(1, key)
	if r.gone.len[1] > 2*r.capacity {
		r.stack.pull(r.gone.pop(1))
	}
}
