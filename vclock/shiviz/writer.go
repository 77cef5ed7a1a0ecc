package shiviz

import (
	"io"
	"strconv"
	"sync"

	"github.com/distkit/distkit/vclock"
)

// Header is what ShiViz wants at the start of a log file: the regular
// expression of an event, and an empty line because executions have no
// delimiter. A Writer does not write it, for several hosts may share a file;
// Parse skips it.
const Header = `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)` + "\n\n"

// Writer writes the events of a process to a log, each with one call of Write,
// in the order of their stamps. It may be used by any number of goroutines at
// once. Make it with New; a zero Writer may not write anything.
//
// When writing fails the event has been stamped nevertheless, and Check will
// miss it in the log.
type Writer struct {
	p   *Process
	mu  sync.Mutex
	w   io.Writer
	buf []byte
}

// New returns a writer of the events of p to w.
func New(w io.Writer, p *Process) *Writer { return &Writer{w: w, p: p} }

// Local stamps and writes an event that concerns nobody else.
func (w *Writer) Local(event string) error {
	_, err := w.log(event, vclock.Clock{})
	return err
}

// Send stamps and writes the sending of a message, and returns the stamp, which
// travels with the message. The stamp is good even if writing fails.
func (w *Writer) Send(event string) (vclock.Clock, error) { return w.log(event, vclock.Clock{}) }

// Receive stamps and writes the arrival of a message with the stamp from. See
// [Process.Receive].
func (w *Writer) Receive(event string, from vclock.Clock) error {
	_, err := w.log(event, from)
	return err
}

func (w *Writer) log(event string, from vclock.Clock) (vclock.Clock, error) {
	if w.p == nil || w.w == nil {
		panic("shiviz: the Writer has no process or no io.Writer; make it with New")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	stamp := w.p.Receive(from)
	w.buf = appendEvent(w.buf[:0], Event{Host: w.p.ID(), Text: event, Clock: stamp})
	_, err := w.w.Write(w.buf)
	return stamp, err
}

// appendEvent appends the two lines of an event.
func appendEvent(b []byte, e Event) []byte {
	b = appendName(b, e.Host)
	b = append(b, " {"...)
	start := len(b)
	for id, n := range e.Clock.All() {
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = append(b, '"')
		b = appendName(b, id)
		b = append(b, `":`...)
		b = strconv.AppendUint(b, n, 10)
	}
	b = append(b, "}\n"...)
	b = append(b, escapeText.Replace(e.Text)...)
	return append(b, '\n')
}
