package lru

import "github.com/distkit/distkit/internal/tinylfu"

// manner says how segments treats what is new.
type manner struct {
	window     uint64 // hundredths of the capacity, for what is new or was asked for again there
	most, lead uint8  // the uses of a victim count up to most; it takes lead more to displace it
}

// segments is W-TinyLFU (Einziger, Eytan, Friedman and Manes, "Adaptive Software
// Cache Management", 2018) in a manner that may change.
//
//	miss                -> window (list recent)
//	oldest of window    -> probation (list main) in place of the oldest there, if it was
//	                       asked for so much more often; else out
//	hit in probation    -> protected, and the oldest there back to probation where
//	                       that makes it too large
//	hit elsewhere       -> newest of its list
//
// While the window has less than its part, it takes in what is hit, too.
type segments[K comparable, V any] struct {
	*slab[K, V]
	manner   manner
	sketch   *tinylfu.Sketch // that others count in
	capacity uint64
	window   uint64 // what list recent may weigh, at least 1

	lists  []uint8 // by node: its list
	weight [protected + 1]uint64
}

// briefly is how many entries one call moves from list to list at most, where the
// borders have moved. The rest comes with later calls.
const briefly = 16

// patience is how many entries may stay because of hits that took no lock, before one
// goes for which an entry is to come in: where all were hit lately, any may go.
const patience = 64

func (p *segments[K, V]) grow(n int) { p.lists = extended(p.lists, n) }
func (p *segments[K, V]) reset()     { p.lists, p.weight = nil, [protected + 1]uint64{} }

func (p *segments[K, V]) resize(capacity uint64) {
	p.capacity = capacity
	p.turn(p.manner)
}

// turn changes the manner.
func (p *segments[K, V]) turn(m manner) {
	p.manner = m
	p.window = max(1, p.capacity/100*m.window+p.capacity%100*m.window/100)
}

func (p *segments[K, V]) miss(uint32) bool { return false }

func (p *segments[K, V]) insert(i, _ uint32) {
	p.enter(recent, i)
	p.shrink(recent, i, p.window)
}

func (p *segments[K, V]) hit(i uint32) {
	list := p.lists[i]
	switch {
	case list == recent:
		p.touch(recent, i)
	case p.weight[recent] < p.window:
		p.move(i, recent)
	case list == protected:
		p.touch(protected, i)
	default:
		p.move(i, protected)
		p.shrink(protected, i, (p.capacity-p.window)/5*4)
	}
}

func (p *segments[K, V]) set(i uint32) { p.hit(i) }

func (p *segments[K, V]) reweigh(i uint32, by uint64) { p.weight[p.lists[i]] += by }

// shrink moves the oldest of a list, other than i, to probation while the list
// weighs more than most.
func (p *segments[K, V]) shrink(list uint8, i uint32, most uint64) {
	for range briefly {
		oldest := p.oldest(uint32(list), none)
		if p.weight[list] <= most || oldest == i {
			return
		}
		if !p.catchUp(oldest) {
			p.move(oldest, main)
		}
	}
}

// enter makes i the newest entry of a list.
func (p *segments[K, V]) enter(list uint8, i uint32) {
	p.lists[i] = list
	p.link(uint32(list), i)
	p.reweigh(i, p.weightOf(i))
}

func (p *segments[K, V]) move(i uint32, list uint8) {
	p.remove(i)
	p.enter(list, i)
}

func (p *segments[K, V]) remove(i uint32) {
	p.unlink(i)
	p.reweigh(i, -p.weightOf(i))
}

// evict takes the oldest entry of the window, or that which would go for it.
func (p *segments[K, V]) evict(keep uint32) (out uint32) {
	for moved := 0; ; moved++ {
		candidate, victim := p.oldest(recent, keep), p.victim(keep)
		if moved < patience && p.catchUpEither(candidate, victim) {
			continue
		}
		switch {
		case victim == none:
			out = candidate
		case candidate == none || p.weight[recent] < p.window:
			out = victim
		case moved < briefly && p.weight[recent] > p.window: // which has become smaller
			p.move(candidate, main)
			continue
		case p.admits(candidate, victim):
			p.move(candidate, main)
			out = victim
		default:
			out = candidate
		}
		p.remove(out)
		return out
	}
}

// catchUp lets i have its hits without the lock, which count as one, and returns
// whether there were any. Those of keys in the sample have been counted: see heard.
func (p *segments[K, V]) catchUp(i uint32) bool {
	if p.seen(i) == 0 {
		return false
	}
	if place := p.placeOf(i); !p.heard.wants(place) {
		p.sketch.Touch(uint64(place))
	}
	p.hit(i)
	return true
}

// catchUpEither is catchUp of those of the two that may be evicted.
func (p *segments[K, V]) catchUpEither(candidate, victim uint32) bool {
	switch {
	case p.sharing == nil:
		return false
	case victim == none:
		return p.catchUp(candidate)
	case candidate == none || p.weight[recent] < p.window:
		return p.catchUp(victim)
	}
	return p.catchUp(candidate) || p.catchUp(victim)
}

// victim returns the entry outside of the window that is next to go, or none.
func (p *segments[K, V]) victim(keep uint32) uint32 {
	if i := p.oldest(main, keep); i != main {
		return i
	}
	if i := p.oldest(protected, keep); i != protected {
		return i
	}
	return none
}

func (p *segments[K, V]) admits(candidate, victim uint32) bool {
	return p.uses(candidate) >= min(p.uses(victim), p.manner.most)+p.manner.lead
}

func (p *segments[K, V]) uses(i uint32) uint8 { return p.sketch.Estimate(uint64(p.placeOf(i))) }

// Nothing is written of a model, and nothing read.
func (p *segments[K, V]) note(uint32) uint64          { return 0 }
func (p *segments[K, V]) restore(uint32, uint64) bool { return false }
