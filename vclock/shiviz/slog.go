package shiviz

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"
)

// Handler returns a handler that makes every record, of whatever level, a local
// event of the process. The text is level, message and attributes, the latter as
// [slog.TextHandler] writes them:
//
//	INFO elected leader term=3 votes=2
//
// The time of the record is left out: the order of events is that of the clocks.
func (w *Writer) Handler() slog.Handler {
	buf := new(bytes.Buffer)
	all := &slog.HandlerOptions{Level: slog.Level(math.MinInt)}
	return &handler{w: w, shared: &shared{buf: buf}, text: slog.NewTextHandler(buf, all)}
}

// handler lets a TextHandler write the attributes into a buffer that all
// handlers derived from one share.
type handler struct {
	w      *Writer
	shared *shared
	text   slog.Handler
}

type shared struct {
	mu  sync.Mutex
	buf *bytes.Buffer
}

func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.w, h.shared, h.text.WithAttrs(attrs)}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.w, h.shared, h.text.WithGroup(name)}
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	return h.w.Local(r.Level.String() + " " + r.Message + h.attrs(ctx, r))
}

// attrs returns the attributes as text, with a blank before each.
func (h *handler) attrs(ctx context.Context, r slog.Record) string {
	bare := r.Clone()
	bare.Time, bare.Message, bare.PC = time.Time{}, "", 0
	h.shared.mu.Lock()
	defer h.shared.mu.Unlock()
	h.shared.buf.Reset()
	_ = h.text.Handle(ctx, bare) // a buffer takes everything
	text := strings.TrimSuffix(h.shared.buf.String(), "\n")
	return strings.TrimPrefix(text, "level="+r.Level.String()+` msg=""`)
}
