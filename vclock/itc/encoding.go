package itc

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

const (
	version    = 0 // may change before v1
	header     = 1 + 4
	maxCounter = 1 << 62
	maxBits    = 64 << 10 // bytes of bit code
)

// AppendBinary appends the encoding of the stamp to dst: five bytes and the bit
// code of the paper, see the package documentation. Equal stamps have equal
// bytes. It fails, and returns dst as it was, for a stamp that could not be
// decoded: with more than 2^62 events in one place, or of more than 64 KiB.
func (s Stamp) AppendBinary(dst []byte) ([]byte, error) {
	w := bitWriter{out: append(dst, version, 0, 0, 0, 0)}
	encodeID(&w, s.id, part{})
	ls := parse(s.event)
	for _, l := range ls {
		if l.n > maxCounter {
			return dst, fmt.Errorf("itc: number of events is %d, want at most 2^62", l.n)
		}
	}
	encodeEvent(&w, ls, 0, 0)
	body := w.out[len(dst)+header:]
	if len(body) > maxBits {
		return dst, fmt.Errorf("itc: stamp has %d bytes, want at most %d", len(body), maxBits)
	}
	binary.LittleEndian.PutUint32(w.out[len(dst)+1:], uint32(hash64.Bytes(body)))
	return w.out, nil
}

// MarshalBinary returns what AppendBinary appends.
func (s Stamp) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary sets s to the stamp that MarshalBinary encoded. It accepts
// exactly the canonical form, with trees of a depth of up to 64. All else is
// [ErrCorrupt] and leaves s as it was.
func (s *Stamp) UnmarshalBinary(data []byte) error {
	switch {
	case len(data) < header+1:
		return corrupt("stamp has %d bytes, want at least %d", len(data), header+1)
	case len(data) > header+maxBits:
		return corrupt("stamp has %d bytes, want at most %d", len(data), header+maxBits)
	case data[0] != version:
		return corrupt("version of stamp is %d, want %d", data[0], version)
	case binary.LittleEndian.Uint32(data[1:]) != uint32(hash64.Bytes(data[header:])):
		return corrupt("checksum of stamp does not match")
	}
	r := bitReader{in: data[header:]}
	id, err := decodeID(&r)
	if err != nil {
		return err
	}
	event, err := decodeEvent(&r)
	if err != nil {
		return err
	}
	// The code can spell a tree in several ways. Only one is what we write.
	got := Stamp{id, event}
	again, err := got.MarshalBinary()
	if err != nil || string(again) != string(data) {
		return corrupt("encoding of %v is not the canonical one", brief(got))
	}
	*s = got
	return nil
}

// AppendText appends the stamp as text for JSON, headers and URLs: its binary
// form in base64url without padding. It fails as AppendBinary does.
func (s Stamp) AppendText(dst []byte) ([]byte, error) {
	bin, err := s.MarshalBinary()
	if err != nil {
		return dst, err
	}
	return base64.RawURLEncoding.AppendEncode(dst, bin), nil
}

// MarshalText returns what AppendText appends.
func (s Stamp) MarshalText() ([]byte, error) { return s.AppendText(nil) }

// UnmarshalText sets s to the stamp of a text that MarshalText made, and accepts
// nothing else: see [Stamp.UnmarshalBinary].
func (s *Stamp) UnmarshalText(text []byte) error {
	if most := base64.RawURLEncoding.EncodedLen(header + maxBits); len(text) > most {
		return corrupt("text of stamp has %d bytes, want at most %d", len(text), most)
	}
	// The decoder of encoding/base64 skips line breaks: a second spelling.
	if bytes.ContainsAny(text, "\r\n") {
		return corrupt("text of stamp holds a line break")
	}
	bin, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return corrupt("text of stamp: %w", err)
	}
	return s.UnmarshalBinary(bin)
}

func corrupt(format string, args ...any) error { return codec.CorruptIn("itc", format, args...) }

// brief shows a stamp in an error, however large it is.
func brief(s Stamp) string {
	if len(s.id)+len(s.event) > 100 {
		return "stamp"
	}
	return s.String()
}

// encodeID writes what id owns of p.
func encodeID(w *bitWriter, id string, p part) {
	left, right, leaf := halves(id, p)
	if leaf {
		w.bits(0, 2)
		w.bits(uint64(min(len(id), 1)), 1)
		return
	}
	switch {
	case left == "":
		w.bits(1, 2)
	case right == "":
		w.bits(2, 2)
	default:
		w.bits(3, 2)
	}
	if left != "" {
		encodeID(w, left, part{p.start, p.depth + 1})
	}
	if right != "" {
		encodeID(w, right, part{p.start + p.half(), p.depth + 1})
	}
}

// encodeEvent writes the leaves of an interval, with what is common to those
// around it left out.
func encodeEvent(w *bitWriter, ls []leaf, depth int, base uint64) {
	if ls[0].depth == depth {
		w.bits(1, 1)
		w.number(ls[0].n - base)
		return
	}
	left, right := split(ls, depth)
	least := least(ls)
	hasLeft := left[0] != leaf{depth + 1, least}
	hasRight := right[0] != leaf{depth + 1, least}
	var sides uint64 // which halves follow
	switch {
	case !hasLeft:
		sides = 0
	case !hasRight:
		sides = 1
	default:
		sides = 2
	}
	w.bits(0, 1)
	if least == base {
		w.bits(sides, 2)
	} else {
		w.bits(3, 2)
		if sides == 2 {
			w.bits(1, 1)
		} else {
			w.bits(sides, 2)
		}
		w.bits(1, 1)
		w.number(least - base)
	}
	if hasLeft {
		encodeEvent(w, left, depth+1, least)
	}
	if hasRight {
		encodeEvent(w, right, depth+1, least)
	}
}

// decodeID reads an id. It keeps the right halves that are still to come in a
// list of its own, and so needs no recursion on input.
func decodeID(r *bitReader) (string, error) {
	var later [maxDepth]part
	var id []byte
	for p, k := (part{}), 0; ; {
		code := r.bits(2)
		if code == 0 {
			if r.bits(1) == 1 {
				id = appendPart(id, p)
			}
			if r.bad {
				return "", corrupt("stamp ends within its id")
			}
			if k == 0 {
				return string(id), nil
			}
			k--
			p = later[k]
			continue
		}
		if p.depth == maxDepth {
			return "", corrupt("id is deeper than %d", maxDepth)
		}
		left, right := part{p.start, p.depth + 1}, part{p.start + p.half(), p.depth + 1}
		switch code {
		case 1:
			p = right
		case 2:
			p = left
		default:
			p, later[k] = left, right
			k++
		}
	}
}

// later is a half that comes when those to its left are done: a tree to be
// read, or a leaf without a number of its own.
type later struct {
	part
	base uint64
	leaf bool
}

// decodeEvent reads the events, without recursion too.
func decodeEvent(r *bitReader) (string, error) {
	var todo [maxDepth + 1]later
	k := 1 // todo[0] is the whole
	var out []byte
	for k > 0 {
		k--
		t := todo[k]
		if !t.leaf && r.bits(1) == 0 {
			if t.depth == maxDepth {
				return "", corrupt("tree of events is deeper than %d", maxDepth)
			}
			sides, n := eventNode(r)
			if n > maxCounter-t.base {
				return "", corrupt("number of events is above 2^62")
			}
			half := later{part{t.start, t.depth + 1}, t.base + n, sides == 0}
			todo[k+1] = half
			half.start, half.leaf = t.start+t.half(), sides == 1
			todo[k] = half
			k += 2
			continue
		}
		n := uint64(0)
		if !t.leaf {
			n = r.number()
		}
		if r.bad {
			return "", corrupt("stamp ends or is damaged within its events")
		}
		if n > maxCounter-t.base {
			return "", corrupt("number of events is above 2^62")
		}
		out = appendLeaf(out, t.part, t.base+n)
	}
	return eventOf(out), nil
}

// eventNode reads which halves of a tree follow, 0 the right one, 1 the left
// one, 2 both, and the number they have in common.
func eventNode(r *bitReader) (sides, n uint64) {
	if sides = r.bits(2); sides < 3 {
		return sides, 0
	}
	if r.bits(1) == 1 {
		sides = 2
	} else {
		sides = r.bits(1)
	}
	if r.bits(1) == 0 {
		r.bad = true // a number begins with 1
	}
	return sides, r.number()
}
