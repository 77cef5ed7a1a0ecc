package shiviz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/shiviz"
	"github.com/stretchr/testify/require"
)

// collect returns the events of a log before its first error.
func collect(events iter.Seq2[shiviz.Event, error]) ([]shiviz.Event, error) {
	var all []shiviz.Event
	for e, err := range events {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// pingPong writes a small log of two hosts to one writer.
func pingPong(t testing.TB, log io.Writer) {
	a, b := shiviz.New(log, process(t, "a")), shiviz.New(log, process(t, "b"))
	require.NoError(t, a.Local("start"))
	ping, err := a.Send("send ping")
	require.NoError(t, err)
	require.NoError(t, b.Receive("got ping", ping))
	pong, err := b.Send("send pong")
	require.NoError(t, err)
	require.NoError(t, a.Receive("got pong", pong))
}

func TestWriter(t *testing.T) {
	var log strings.Builder
	pingPong(t, &log)
	require.Equal(t, `a {"a":1}
start
a {"a":2}
send ping
b {"a":2, "b":1}
got ping
b {"a":2, "b":2}
send pong
a {"a":3, "b":2}
got pong
`, log.String())
}

// The regular expression is what ShiViz reads the file with.
func TestHeaderMatchesEvents(t *testing.T) {
	var log strings.Builder
	log.WriteString(shiviz.Header)
	pingPong(t, &log)
	expression, rest, ok := strings.Cut(log.String(), "\n\n")
	require.True(t, ok)
	require.Equal(t, `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`, expression)
	re := regexp.MustCompile(expression)
	found := re.FindAllStringSubmatch(rest, -1)
	require.Len(t, found, 5)
	require.Equal(t, []string{"b", `{"a":2, "b":1}`, "got ping"}, found[2][1:])
	require.Empty(t, strings.TrimSpace(re.ReplaceAllString(rest, "")), "nothing between the events")
}

// Whatever hosts and events are called, a log holds just what was written, and
// each event is two lines to everyone who reads it.
func TestHostileNames(t *testing.T) {
	hosts := []string{"plain", "two words", "a\nforged {\"forged\":1}\nevent", `q"uote`, `back\slash`, "per%cent", "%41", "\xff\xfe", "nb\u00a0sp", "ls\u2028", "é", "tab\t", "\x00", "{}", "\u0085", "%"}
	texts := []string{"", "plain", "two\nlines", "cr\rlf\r\n", `literal \n`, `\\`, "\\\n", "\u2028\u2029", `\u2028`, "forged\nx {\"x\":1}\ny", "\xff", "%41", "tab\t end "}
	var log bytes.Buffer
	var want []shiviz.Event
	var last vclock.Clock
	for _, h := range hosts {
		p := process(t, h)
		w := shiviz.New(&log, p)
		for _, text := range texts {
			require.NoError(t, w.Receive(text, last))
			want = append(want, shiviz.Event{Host: h, Text: text, Clock: p.Clock()})
		}
		last = p.Clock()
	}
	got, err := collect(shiviz.Parse(bytes.NewReader(log.Bytes())))
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, 2*len(want), bytes.Count(log.Bytes(), []byte("\n")))
	for i, line := range strings.Split(log.String(), "\n") {
		require.NotRegexp(t, "[\r\u2028\u2029\u0085]", line)
		if i%2 == 0 && line != "" {
			require.Regexp(t, `^[^\s\x{a0}]+ \{`, line)
		}
	}
}

// Logs of others: numbers that are zero, other spacing, percent signs that mean
// themselves, Windows, a last line that does not end.
func TestParseForeign(t *testing.T) {
	log := shiviz.Header + "a {\"b\":0,\"a\":1}\r\nINFO 50% done\r\n\r\n\na {  \"a\" : 2 }\n\n100%zz%4G%G4% {\"100%zz%4G%G4%\":1}\n\\x stays"
	got, err := collect(shiviz.Parse(iotest.OneByteReader(strings.NewReader(log))))
	require.NoError(t, err)
	require.Equal(t, []shiviz.Event{
		{Host: "a", Text: "INFO 50% done", Clock: clock(t, vclock.Dot{ID: "a", N: 1})},
		{Host: "a", Text: "", Clock: clock(t, vclock.Dot{ID: "a", N: 2})},
		{Host: "100%zz%4G%G4%", Text: `\x stays`, Clock: clock(t, vclock.Dot{ID: "100%zz%4G%G4%", N: 1})},
	}, got)
	got, err = collect(shiviz.Parse(strings.NewReader("")))
	require.NoError(t, err)
	require.Empty(t, got)
}

// A log from strangers: an error names the line, and nothing comes after it.
func TestHostileLogs(t *testing.T) {
	for log, want := range map[string]string{
		"a":                          "line 1: want a host",
		"\n\na\n":                    "line 3: want a host",
		" {\"a\":1}\nx\n":            "line 1: want a host",
		"a [1]\nx\n":                 "line 1: want a clock in braces",
		"a null\nx\n":                "line 1: want a clock in braces",
		"a {\"a\":1\nx\n":            "line 1: ",
		"a {\"a\":1,\"a\":2}\nx\n":   "line 1: ",
		"a {\"a\":-1}\nx\n":          "line 1: ",
		"a {\"a\":1}":                "line 1: the log ends before",
		"a {\"a\":1}\nx\n" + "b\n":   "line 3: want a host",
		"a {\"%41\":1,\"A\":1}\nx\n": "line 1: ",
		strings.Repeat("x", 2<<20):   "line 1: want lines of at most",
		"a {\"a\":1}\n" + strings.Repeat("x", 2<<20): "line 2: want lines of at most",
	} {
		n := 0
		for _, err := range shiviz.Parse(strings.NewReader(log)) {
			if err != nil {
				require.ErrorIs(t, err, vclock.ErrCorrupt)
				require.ErrorContains(t, err, "shiviz: corrupt encoding: "+want)
				n++
			}
		}
		require.Equal(t, 1, n, "%.40q", log)
	}
	boom := errors.New("boom")
	got, err := collect(shiviz.Parse(io.MultiReader(strings.NewReader("a {\"a\":1}\nx\nb"), iotest.ErrReader(boom))))
	require.Equal(t, boom, err)
	require.Len(t, got, 1)
	for range shiviz.Parse(strings.NewReader("a {\"a\":1}\nx\nb {\"b\":1}\ny\n")) {
		break
	}
}

func TestWriterErrors(t *testing.T) {
	boom := errors.New("boom")
	p := process(t, "a")
	w := shiviz.New(failing{boom}, p)
	require.ErrorIs(t, w.Local("x"), boom)
	require.ErrorIs(t, w.Receive("x", vclock.Clock{}), boom)
	stamp, err := w.Send("x")
	require.ErrorIs(t, err, boom)
	require.Equal(t, `{"a":3}`, stamp.String(), "the stamp is good")
	require.Equal(t, stamp, p.Clock())

	const want = "shiviz: the Writer has no process or no io.Writer; make it with New"
	var zero shiviz.Writer
	require.PanicsWithValue(t, want, func() { _ = zero.Local("x") })
	require.PanicsWithValue(t, want, func() { _, _ = shiviz.New(io.Discard, nil).Send("x") })
	require.PanicsWithValue(t, want, func() { _ = shiviz.New(nil, p).Receive("x", vclock.Clock{}) })
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// locked is an io.Writer that hosts may share, and counts calls.
type locked struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	calls int
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	return l.buf.Write(b)
}

func TestWritersConcurrent(t *testing.T) {
	var log locked
	wires := make(chan vclock.Clock, 16)
	var wg sync.WaitGroup
	for h := range 4 {
		w := shiviz.New(&log, process(t, fmt.Sprint("host-", h)))
		for range 2 { // two goroutines a host
			wg.Go(func() {
				for i := range 100 {
					var err error
					select {
					case m := <-wires:
						err = w.Receive("got", m)
					default:
						var m vclock.Clock
						m, err = w.Send(fmt.Sprint("send ", i))
						select {
						case wires <- m:
						default:
						}
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	require.Equal(t, 800, log.calls)
	got, err := collect(shiviz.Parse(&log.buf))
	require.NoError(t, err)
	require.Len(t, got, 800)
	require.NoError(t, shiviz.Check(values(got)))
}

func TestHandler(t *testing.T) {
	var log strings.Builder
	p := process(t, "a")
	w := shiviz.New(&log, p)
	l := slog.New(w.Handler())
	require.True(t, l.Enabled(context.Background(), slog.LevelDebug-100))
	l.Info("elected leader", "term", 3, "votes", "a b")
	l.Debug("no attributes")
	l.With("x", 1).WithGroup("g").With("y", 2).Warn("groups", "z", time.Second, slog.Group("h", "msg", "m", "level", "l", "time", 0))
	l.Log(context.Background(), slog.LevelError+2, "two\nlines", "k", "v\nw")
	slog.New(w.Handler().WithGroup("empty")).Info("none")
	require.NoError(t, w.Handler().WithAttrs(nil).Handle(context.Background(), slog.NewRecord(time.Now(), slog.LevelInfo, "direct", 0)))
	got, err := collect(shiviz.Parse(strings.NewReader(log.String())))
	require.NoError(t, err)
	var texts []string
	for _, e := range got {
		texts = append(texts, e.Text)
	}
	require.Equal(t, []string{
		`INFO elected leader term=3 votes="a b"`,
		`DEBUG no attributes`,
		`WARN groups x=1 g.y=2 g.z=1s g.h.msg=m g.h.level=l g.h.time=0`,
		"ERROR+2 two\nlines k=\"v\\nw\"",
		`INFO none`,
		`INFO direct`,
	}, texts)
	require.Equal(t, uint64(6), p.Clock().Get("a"))
	require.NoError(t, shiviz.Check(values(got)))

	boom := errors.New("boom")
	h := shiviz.New(failing{boom}, p).Handler()
	require.ErrorIs(t, h.Handle(context.Background(), slog.NewRecord(time.Time{}, 0, "x", 0)), boom)
}

// Loggers derived from one handler share its buffer.
func TestHandlerConcurrent(t *testing.T) {
	var log locked
	h := shiviz.New(&log, process(t, "a")).Handler()
	var wg sync.WaitGroup
	for g := range 4 {
		l := slog.New(h).With("g", g)
		wg.Go(func() {
			for i := range 100 {
				l.Info("x", "i", i)
			}
		})
	}
	wg.Wait()
	got, err := collect(shiviz.Parse(&log.buf))
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, e := range got {
		require.Regexp(t, `^INFO x g=\d i=\d+$`, e.Text)
		seen[e.Text] = true
	}
	require.Len(t, seen, 400)
	require.NoError(t, shiviz.Check(values(got)))
}

func values(events []shiviz.Event) iter.Seq[shiviz.Event] { return slices.Values(events) }
