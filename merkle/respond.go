package merkle

import (
	"encoding/binary"
	"slices"
)

// respond answers one message. It keeps nothing: any responder over an equal or
// a later state may answer the next.
func (s *Session) respond(dst, in []byte) (out []byte, done bool, err error) {
	q, err := parseQuestion(in)
	if err != nil {
		return dst, false, err
	}
	if err := s.serves(q.header); err != nil {
		return dst, false, err
	}
	if q.kind == msgOpen {
		if mine := s.tree.keying.tag(q.salt, s.sum(q.domain, everything)); string(mine[:]) == string(q.tag) {
			return append(append(dst, msgEqual), q.salt[:4]...), true, nil
		}
	}
	r := reply{s: s, h: q.header, start: len(dst), max: min(s.max, q.max<<10), out: append(append(dst, msgTell), q.salt[:4]...)}
	r.out = binary.AppendUvarint(r.out, uint64(s.max>>10))
	r.first = len(r.out)
	for _, a := range q.asks {
		if !r.answer(a) {
			break
		}
	}
	return r.out, false, nil
}

// question is a message of an initiator.
type question struct {
	header
	tag  []byte // of what it has, if it opens
	asks []ask  // an opening asks for cells of everything
}

func parseQuestion(in []byte) (q question, err error) {
	src := &source{b: in}
	kind := src.byte()
	if kind != msgOpen && kind != msgAsk {
		return q, corrupt("message of kind %d from an initiator", kind)
	}
	q.header = src.header(kind)
	if kind == msgOpen {
		q.tag = src.bytes(16)
		q.asks = []ask{{span: everything, to: openCells, parts: 1}}
	} else {
		for len(src.b) > 0 {
			q.asks = append(q.asks, src.ask())
		}
	}
	if src.bad || len(src.b) > 0 || len(q.asks) == 0 || q.max == 0 {
		return q, corrupt("message of an initiator that does not parse")
	}
	return q, nil
}

// serves refuses who has another secret, and who asks about what is not in our
// ranges: an answer about a part of it would look like one about the whole.
func (s *Session) serves(h header) error {
	if h.check != s.tree.keying.saltedCheck(h.salt) {
		return incompatible("the other side has another secret")
	}
	for _, d := range h.domain {
		i, _ := slices.BinarySearchFunc(s.domain, d.lo, func(mine span, lo uint64) int {
			if mine.last < lo {
				return -1
			}
			return 1
		})
		if i == len(s.domain) || !d.within(s.domain[i]) {
			return incompatible("asked about positions %#x to %#x, which are not among the ranges", d.lo, d.last)
		}
	}
	return nil
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
