package merkle

import (
	"encoding/binary"
	"slices"
)

// respond answers one message. It keeps nothing: any responder over an equal or
// a later state may answer the next.
func (s *Session) respond(dst, in []byte) (out []byte, done bool, err error) {
	src := &source{b: in}
	kind := src.byte()
	if kind != msgOpen && kind != msgAsk {
		return dst, false, corrupt("message of kind %d from an initiator", kind)
	}
	h := src.header(kind)
	asks := []ask{{span: everything, to: openCells, parts: 1}}
	var tag []byte
	if kind == msgOpen {
		tag = src.bytes(16)
	} else {
		asks = asks[:0]
		for len(src.b) > 0 {
			asks = append(asks, src.ask())
		}
	}
	switch {
	case src.bad || len(src.b) > 0 || len(asks) == 0 || h.max == 0:
		return dst, false, corrupt("message of an initiator that does not parse")
	case h.check != s.tree.keying.saltedCheck(h.salt):
		return dst, false, incompatible("the other side has another secret")
	}
	for _, d := range h.domain {
		i, _ := slices.BinarySearchFunc(s.domain, d.lo, func(mine span, lo uint64) int {
			if mine.last < lo {
				return -1
			}
			return 1
		})
		if i == len(s.domain) || !d.within(s.domain[i]) {
			return dst, false, incompatible("asked about positions %#x to %#x, which are not among the ranges", d.lo, d.last)
		}
	}
	if kind == msgOpen {
		if mine := s.tree.keying.tag(h.salt, s.sum(h.domain, everything)); string(mine[:]) == string(tag) {
			return append(append(dst, msgEqual), h.salt[:4]...), true, nil
		}
	}
	r := reply{s: s, h: h, start: len(dst), max: min(s.max, h.max<<10), out: append(append(dst, msgTell), h.salt[:4]...)}
	r.out = binary.AppendUvarint(r.out, uint64(s.max>>10))
	r.first = len(r.out)
	for _, a := range asks {
		if !r.answer(a) {
			break
		}
	}
	return r.out, false, nil
}

func (s *Session) sum(domain []span, in span) (sum total) {
	for d := range overlap(domain, in) {
		sum.add(s.tree.sum(d))
	}
	return sum
}

func (s *Session) gather(dst []cell, domain []span, in span) {
	for d := range overlap(domain, in) {
		s.tree.gather(dst, d)
	}
}

type reply struct {
	s     *Session
	h     header
	start int // of the message in out
	first int // of its parts
	max   int
	out   []byte
}

// answer adds the parts of a, of about as many entries each, and reports whether
// there was room for them all.
func (r *reply) answer(a ask) bool {
	t := r.s.tree
	n := t.sum(a.span).count
	parts := max(1, min(a.parts, n))
	rest := a.span
	for i := uint64(1); i <= parts; i++ {
		p := rest
		if i < parts {
			p.last = t.rank(a.span, n/parts*i) - 1
		}
		if !r.tell(p, a) {
			return false
		}
		if i < parts {
			rest.lo = p.last + 1
		}
	}
	return true
}

// tell adds one part, as a list where that is shorter. A part that has no room
// stays out; the first of a message gets fewer cells instead.
func (r *reply) tell(p span, a ask) bool {
	sum := r.s.sum(r.h.domain, p)
	room := r.max - (len(r.out) - r.start) - partSize - 7
	list := sum.count <= uint64(cellSize*a.to/entrySize)
	m := a.to - a.from
	if list && int(sum.count)*entrySize > room || !list && m*(cellSize+4) > room {
		if len(r.out) > r.first {
			return false
		}
		list, m = false, min(m, max(1, room/(cellSize+4)))
	}
	r.out = binary.LittleEndian.AppendUint64(r.out, p.last)
	r.out = binary.AppendUvarint(r.out, sum.count)
	r.out = binary.LittleEndian.AppendUint64(r.out, r.s.tree.keying.shortTag(r.h.salt, sum))
	if list {
		r.out = append(r.out, 0)
		for d := range overlap(r.h.domain, p) {
			r.s.tree.walk(d, func(h, v uint64) bool {
				r.out = appendSpan(r.out, span{h, v})
				return true
			})
		}
		return true
	}
	var c cells
	counts := a.from + m
	if r.h.kind == msgOpen {
		counts = cellsMax // they tell how many differences there are
	}
	r.s.gather(c[:counts], r.h.domain, p)
	r.out = append(r.out, byte(m))
	for i := a.from; i < a.from+m; i++ {
		r.out = appendCell(r.out, c[i], sum.count, i)
	}
	for i := a.from + m; i < counts; i++ {
		r.out = appendCount(r.out, c[i].count, sum.count, i)
	}
	return true
}
