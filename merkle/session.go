package merkle

import (
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
)

// Session is one side of a comparison of two trees: a machine that turns
// messages into messages, without I/O and without a clock. The initiator learns
// every difference, and the responder none: what the initiator finds, the
// application moves, either way.
//
// A session that finds nothing takes two messages of 31 and 5 bytes; one with up
// to 5 differences mostly two, others four to eight and about 60 bytes a version
// that one side lacks, or as many messages as their bound makes of that. A
// responder keeps nothing between messages. So an initiator whose message or
// answer was lost repeats it by Next with nil, to this responder or another one
// with the same rows.
//
// A Session works on a snapshot: the tree may change meanwhile. It is not safe
// for concurrent use. The zero Session answers queries; Next panics.
type Session struct {
	tree     *Tree // nil in a zero Session
	domain   []span
	max      int // of a message that this side takes
	room     int // of a message that the other side takes too
	maxDiffs uint64
	starts   bool // it is the initiator
	salt     [8]byte
	opened   bool // the opening has been answered
	queue    []slice
	active   []slice // what was asked for last
	guesses  uint64  // left for this message
	claimed  uint64  // how many entries the responder says it has
	found    []Diff
	stats    Stats
	done     bool
}

// Diff is a position where the two sides differ. Local and Remote are versions;
// a side that has no entry there has the zero version.
type Diff struct {
	Hash, Local, Remote uint64
	HasLocal, HasRemote bool
}

// Stats counts what a session has seen: messages both ways, their bytes, and
// differences.
type Stats struct{ Messages, BytesIn, BytesOut, Diffs uint64 }

// SessionOption is an option of [Tree.Initiate] and [Tree.Respond].
type SessionOption func(*sessionConfig)

type sessionConfig struct {
	ranges   []Range
	limited  bool
	max      int
	maxDiffs int
	bounded  bool // by maxDiffs
}

// WithRanges (Session) compares the union of these ranges; none compare nothing.
// A responder answers for its ranges and refuses others. Default: the whole ring.
func WithRanges[R ~struct{ Start, End uint64 }](rs ...R) SessionOption {
	return func(c *sessionConfig) {
		c.limited = true
		for _, r := range rs {
			c.ranges = append(c.ranges, Range(r))
		}
	}
}

// WithMaxMessage (Session) bounds messages to n bytes, rounded down to KiB, both
// those sent and those accepted: 1 KiB to 1 GiB, default 64 KiB. It bounds the
// session's memory too. The lower of the two sides' counts.
func WithMaxMessage(n int) SessionOption { return func(c *sessionConfig) { c.max = n } }

// WithMaxDiffs (Session) lets an initiator fail by [ErrLimit] when there are more
// than n differences, n >= 1. Default: no limit. A responder, which finds none, ignores
// it.
func WithMaxDiffs(n int) SessionOption {
	return func(c *sessionConfig) { c.maxDiffs, c.bounded = n, true }
}

// Initiate returns the side that begins and learns the differences. It fails for
// a zero Tree, for an option that is out of its range, and by [ErrLimit] for more ranges than a
// message has room for, one for each 32 bytes of [WithMaxMessage].
func (t *Tree) Initiate(opts ...SessionOption) (*Session, error) { return t.session(true, opts) }

// Respond returns the side that answers. It fails as [Tree.Initiate] does.
func (t *Tree) Respond(opts ...SessionOption) (*Session, error) { return t.session(false, opts) }

func (t *Tree) session(starts bool, opts []SessionOption) (*Session, error) {
	c := sessionConfig{max: 64 << 10}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("merkle: option is nil")
		}
		opt(&c)
	}
	if c.bounded && c.maxDiffs < 1 {
		return nil, fmt.Errorf("merkle: maximum of differences is %d, want at least 1", c.maxDiffs)
	}
	if !c.bounded {
		c.maxDiffs = math.MaxInt
	}
	domain := []span{everything}
	if c.limited {
		domain = union(c.ranges)
	}
	switch {
	case t.keying == nil:
		return nil, errors.New("merkle: session of a zero Tree: make one by NewTree")
	case c.max < messageMin || c.max > messageMax:
		return nil, fmt.Errorf("merkle: maximum of a message is %d, want %d to %d bytes", c.max, messageMin, messageMax)
	case len(domain)*16 > c.max/2:
		return nil, fmt.Errorf("merkle: %d ranges in messages of %d bytes, want at most %d: %w", len(domain), c.max, c.max/32, ErrLimit)
	}
	s := &Session{tree: t.Snapshot(), domain: domain, max: c.max &^ 1023, maxDiffs: uint64(c.maxDiffs), starts: starts}
	s.room = s.max
	if starts {
		rand.Read(s.salt[:]) // never fails
		s.done = len(domain) == 0
	}
	return s, nil
}

// Next takes the other side's message and appends the next one to dst. The
// initiator begins with in == nil, and repeats its last message with it. out is
// empty if there is nothing more to say; done says that this side awaits nothing,
// though it may have a last message to deliver. After an error of the other
// side's making, [ErrCorrupt], [ErrIncompatible] or [ErrLimit], the session is at
// the same point as before.
func (s *Session) Next(dst, in []byte) (out []byte, done bool, err error) {
	if s.tree == nil {
		panic("merkle: Next of a zero Session: make one by Tree.Initiate or Tree.Respond")
	}
	if len(in) > s.max {
		return dst, false, fmt.Errorf("%w: message of %d bytes, want at most %d", ErrLimit, len(in), s.max)
	}
	if in != nil {
		s.stats.Messages++
		s.stats.BytesIn += uint64(len(in))
	}
	switch {
	case !s.starts && len(in) == 0:
		return dst, true, nil
	case !s.starts:
		out, done, err = s.respond(dst, in)
	default:
		if in != nil && !s.done {
			if err := s.learn(in); err != nil {
				return dst, false, err
			}
		}
		if s.done {
			return dst, true, nil
		}
		out, err = s.say(dst)
	}
	if err == nil {
		s.stats.Messages++
		s.stats.BytesOut += uint64(len(out) - len(dst))
	}
	return out, done, err
}

// Diffs yields the differences found since it was last called and forgets them.
// In all, an initiator that is done has yielded each once.
func (s *Session) Diffs() iter.Seq[Diff] {
	return func(yield func(Diff) bool) {
		for len(s.found) > 0 {
			d := s.found[0]
			s.found = s.found[1:]
			if !yield(d) {
				return
			}
		}
	}
}

// Stats returns what the session has seen so far.
func (s *Session) Stats() Stats { return s.stats }

// header returns the beginning of a message of the initiator.
func (s *Session) header(kind byte) header {
	return header{kind: kind, salt: s.salt, check: s.tree.keying.saltedCheck(s.salt), max: s.room >> 10, domain: s.domain}
}

// say appends the message of the initiator that is due.
func (s *Session) say(dst []byte) ([]byte, error) {
	if limit := 128 + 16*uint64(bits.Len64(s.claimed|s.tree.total.count)) + 1024*s.stats.Diffs/uint64(s.room); s.stats.Messages > limit {
		return dst, fmt.Errorf("%w: %d messages and no end", ErrLimit, s.stats.Messages)
	}
	if !s.opened {
		h := s.header(msgOpen)
		tag := s.tree.keying.tag(s.salt, s.sum(s.domain, everything))
		return append(h.append(dst), tag[:]...), nil
	}
	h := s.header(msgAsk)
	out := h.append(dst)
	s.queue = slices.Concat(s.active, s.queue) // what was not answered comes first
	s.active = nil
	answer := uint64(0)
	for len(s.queue) > 0 {
		x := s.queue[0]
		// What has no room in the answer is asked for again, so ask for a bit more.
		if len(s.active) > 0 && (answer > uint64(s.room) || len(out)-len(dst)+32 > s.room) {
			break
		}
		out = appendAsk(out, x.ask)
		answer += x.ask.parts * uint64(partSize+cellSize*(x.ask.to-x.ask.from))
		s.active = append(s.active, x)
		s.queue = s.queue[1:]
	}
	return out, nil
}
