package lru

// reference is a policy written plainly, to be compared with: it is asked for a key,
// says whether it had it, and has it from then on unless it is full of better ones.
// Keys are numbers from 0 on.
type reference interface{ ask(key int32) (hit bool) }

// lists are lists of keys, each key in one of them at most. The oldest is asked for
// more often than the newest is, so a list's first is its oldest.
type lists struct {
	prev, next []int32 // of keys, and behind them of the ends of lists
	in         []uint8 // by key: its list, 0 for none
	len        [mostLists]int
}

const mostLists = 6

func newLists(keys int) lists {
	l := lists{prev: make([]int32, keys+mostLists), next: make([]int32, keys+mostLists), in: make([]uint8, keys)}
	for i := range l.prev {
		l.prev[i], l.next[i] = int32(i), int32(i)
	}
	return l
}

func (l *lists) end(list uint8) int32    { return int32(len(l.in)) + int32(list) }
func (l *lists) oldest(list uint8) int32 { return l.next[l.end(list)] }

// push makes a key the newest of a list.
func (l *lists) push(list uint8, key int32) {
	end := l.end(list)
	last := l.prev[end]
	l.prev[key], l.next[key] = last, end
	l.next[last], l.prev[end] = key, key
	l.in[key] = list
	l.len[list]++
}

// pull takes a key out of its list.
func (l *lists) pull(key int32) {
	l.next[l.prev[key]], l.prev[l.next[key]] = l.next[key], l.prev[key]
	l.len[l.in[key]]--
	l.in[key] = 0
}

// move makes a key of any list the newest of one.
func (l *lists) move(list uint8, key int32) {
	l.pull(key)
	l.push(list, key)
}

// pop takes the oldest out of a list.
func (l *lists) pop(list uint8) int32 {
	key := l.oldest(list)
	l.pull(key)
	return key
}

// lruReference evicts what was used the longest time ago.
type lruReference struct {
	lists
	capacity int
}

func newLRU(capacity, keys int) reference { return &lruReference{newLists(keys), capacity} }

func (r *lruReference) ask(key int32) bool {
	if r.in[key] != 0 {
		r.move(1, key)
		return true
	}
	if r.len[1] == r.capacity {
		r.pop(1)
	}
	r.push(1, key)
	return false
}

// sieveReference is SIEVE (Zhang, Yang, Yue, Vigfusson and Rashmi, NSDI 2024): a hand
// goes from the oldest to the newest, over and over, and evicts what was not asked for
// since it last came by.
type sieveReference struct {
	lists
	capacity int
	visited  []bool
	hand     int32
}

func newSIEVE(capacity, keys int) reference {
	r := &sieveReference{newLists(keys), capacity, make([]bool, keys), 0}
	r.hand = r.end(1)
	return r
}

func (r *sieveReference) ask(key int32) bool {
	if r.in[key] != 0 {
		r.visited[key] = true
		return true
	}
	if r.len[1] == r.capacity {
		r.evict()
	}
	r.push(1, key)
	r.visited[key] = false
	return false
}

func (r *sieveReference) evict() {
	for {
		if r.hand == r.end(1) {
			r.hand = r.oldest(1)
		}
		key := r.hand
		r.hand = r.next[key]
		if !r.visited[key] {
			r.pull(key)
			return
		}
		r.visited[key] = false
	}
}

// twoQueues is the full version of 2Q (Johnson and Shasha, VLDB 1994) with the sizes
// that they recommend: a quarter for what came lately, and names of half as many keys
// as there is room for.
type twoQueues struct {
	lists
	capacity int
}

const (
	twoIn     = iota + 1 // first in, first out
	twoMain              // least recently used out
	twoLeft              // names of what left twoIn
	twoInPart = 4
	twoNames  = 2
)

func newTwoQueues(capacity, keys int) reference { return &twoQueues{newLists(keys), capacity} }

func (r *twoQueues) ask(key int32) bool {
	known := false
	switch r.in[key] {
	case twoMain:
		r.move(twoMain, key)
		return true
	case twoIn:
		return true
	case twoLeft:
		r.pull(key)
		known = true
	}
	if r.len[twoIn]+r.len[twoMain] == r.capacity {
		r.evict()
	}
	if known {
		r.push(twoMain, key)
	} else {
		r.push(twoIn, key)
	}
	return false
}

func (r *twoQueues) evict() {
	if r.len[twoIn] <= max(1, r.capacity/twoInPart) && r.len[twoMain] > 0 {
		r.pop(twoMain)
		return
	}
	r.move(twoLeft, r.oldest(twoIn))
	if r.len[twoLeft] > max(1, r.capacity/twoNames) {
		r.pop(twoLeft)
	}
}
