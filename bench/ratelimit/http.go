package ratelimit

import (
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/go-chi/httprate"
)

// httpBars are of package httplimit against go-chi/httprate: what the decision costs,
// and what a request pays for the middleware around its handler, with the client's
// address as the key and all headers, allowed and refused.
func httpBars() []bar.Bar {
	return []bar.Bar{
		{
			Name: "sliding window by key, allowed", Limit: 0.5,
			Ours: side("distkit", func() func() bool { return one(sliding(many), "client") }),
			Peer: side("httprate counter", func() func() bool { return counted(many) }),
		},
		{
			Name: "sliding window by key, denied", Limit: 0.5,
			Ours: side("distkit", func() func() bool { return one(sliding(1), "client") }),
			Peer: side("httprate counter", func() func() bool { return counted(1) }),
		},
		{
			Name: "middleware, allowed", Limit: 0.5, Allocs: 6,
			Ours: side("httplimit", func() func() bool { return serve(limitAround(keyed())) }),
			Peer: side("httprate", func() func() bool {
				return serve(httprate.Limit(plenty, time.Hour, httprate.WithKeyFuncs(httprate.KeyByIP)))
			}),
		},
		{
			Name: "middleware, allowed", Limit: 0.5, Allocs: 6,
			Ours: side("httplimit", func() func() bool { return serve(limitAround(keyed())) }),
			Peer: side("httprate OnLimit", func() func() bool {
				limiter := httprate.NewRateLimiter(plenty, time.Hour)
				w, r := &answer{header: http.Header{}}, request()
				return func() bool {
					clear(w.header)
					return !limiter.OnLimit(w, r, "192.0.2.1")
				}
			}),
		},
		{
			Name: "middleware, denied", Limit: 1, Allocs: bar.AnyAllocs,
			Ours: side("httplimit", func() func() bool {
				return serve(limitAround(check(ratelimit.NewKeyed(ratelimit.PerHour(1)))))
			}),
			Peer: side("httprate", func() func() bool {
				return serve(httprate.Limit(1, time.Hour, httprate.WithKeyFuncs(httprate.KeyByIP)))
			}),
		},
	}
}

// many is more than any run of a bar asks for.
const many = 1 << 26

const year = 365 * 24 * time.Hour

func sliding(events int64) *ratelimit.Keyed {
	return check(ratelimit.NewKeyed(ratelimit.Limit{Events: events, Period: year}, ratelimit.WithAlgorithm(ratelimit.SlidingWindow)))
}

// counted asks httprate whether a client may pass, and charges it if so, as OnLimit does.
func counted(events int) func() bool {
	limiter := httprate.NewRateLimiter(events, year)
	start := time.Now().UTC()
	return func() bool {
		_, rate, err := limiter.Status("client")
		if err != nil {
			panic(err)
		}
		if int(rate)+1 > events {
			return false
		}
		return limiter.Counter().Increment("client", start) == nil
	}
}

func limitAround(d ratelimit.Decider) func(http.Handler) http.Handler {
	return check(httplimit.New(d)).Handler
}

func request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// serve returns what serves one request and reports whether it got to the handler.
func serve(around func(http.Handler) http.Handler) func() bool {
	passed := false
	h := around(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed = true }))
	w, r := &answer{header: http.Header{}}, request()
	return func() bool {
		clear(w.header)
		passed = false
		h.ServeHTTP(w, r)
		return passed
	}
}

// answer is a ResponseWriter that costs nothing.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
