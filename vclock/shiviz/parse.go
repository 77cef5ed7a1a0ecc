package shiviz

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/vclock"
)

// Event is one event of a log: where it happened, what it was, and its clock,
// in which the own counter of Host is the event's number.
type Event struct {
	Host, Text string
	Clock      vclock.Clock
}

// maxLine bounds the length of a line. A clock of 64 KiB with every byte escaped
// fits well.
const maxLine = 1 << 20

// Parse reads a log, with or without [Header], and yields its events in the
// order in which they stand there. It reads as it goes and can follow a log that
// grows. Empty lines between events are skipped. At the first line that it
// cannot read it yields an error that names the line, [vclock.ErrCorrupt] or
// that of r, and ends. Lines are bounded to 1 MiB.
func Parse(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		l := lines{r: bufio.NewReader(r)}
		for {
			e, err := l.event()
			if err == io.EOF {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// lines reads a log by the line.
type lines struct {
	r *bufio.Reader
	n int // lines read
}

// event reads one event. It returns io.EOF if the log ends before one begins.
func (l *lines) event() (Event, error) {
	head, err := l.next()
	for err == nil && (head == "" || l.n == 1 && head+"\n\n" == Header) {
		head, err = l.next()
	}
	if err != nil {
		return Event{}, err
	}
	host, clock, ok := strings.Cut(head, " ")
	if !ok || host == "" {
		return Event{}, l.corrupt("want a host, a blank and a clock")
	}
	e := Event{Host: nameOf(host)}
	if !strings.HasPrefix(clock, "{") {
		return Event{}, l.corrupt("want a clock in braces after the host")
	}
	if err := e.Clock.UnmarshalJSON([]byte(clock)); err != nil {
		return Event{}, l.corrupt("%w", err)
	}
	if strings.Contains(clock, "%") {
		if e.Clock, err = renamed(e.Clock); err != nil {
			return Event{}, l.corrupt("%w", err)
		}
	}
	text, err := l.next()
	if err == io.EOF {
		return Event{}, l.corrupt("the log ends before the text of the event")
	}
	e.Text = unescapeText.Replace(text)
	return e, err
}

// renamed returns the clock with the names of a log turned back into ids.
func renamed(c vclock.Clock) (vclock.Clock, error) {
	var dots []vclock.Dot
	for id, n := range c.All() {
		dots = append(dots, vclock.Dot{ID: nameOf(id), N: n})
	}
	return vclock.Make(dots...)
}

// next returns the next line without its end, or io.EOF after the last one.
func (l *lines) next() (string, error) {
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			l.n++
			return "", l.corrupt("want lines of at most %d bytes", maxLine)
		}
		switch {
		case err == nil:
			l.n++
			return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && len(line) > 0:
			l.n++
			return string(line), nil
		default:
			return "", err
		}
	}
}

func (l *lines) corrupt(format string, args ...any) error {
	return codec.CorruptIn("shiviz", "line %d: "+format, append([]any{l.n}, args...)...)
}
