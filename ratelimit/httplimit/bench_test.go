package httplimit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/distkit/distkit/ratelimit"
)

// discarded is a ResponseWriter that costs nothing.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) WriteHeader(int)             {}
func (d *discarded) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkMiddleware(b *testing.B) {
	for name, limit := range map[string]ratelimit.Limit{
		"allowed": ratelimit.PerHour(1).WithBurst(1 << 30),
		"denied":  ratelimit.PerHour(1),
	} {
		h := middleware(b, keyed(b, limit)).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		w := &discarded{http.Header{}}
		b.Run("answer="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}
