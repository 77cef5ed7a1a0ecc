package httplimit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func keyed(t testing.TB, limits ...ratelimit.Limit) *ratelimit.Keyed {
	t.Helper()
	k, err := ratelimit.NewKeyedMulti(limits)
	require.NoError(t, err)
	return k
}

func middleware(t testing.TB, d ratelimit.Decider, opts ...httplimit.Option) *httplimit.Middleware {
	t.Helper()
	m, err := httplimit.New(d, opts...)
	require.NoError(t, err)
	return m
}

// served counts the requests that pass, and what FromContext says of the last.
type served struct {
	mu     sync.Mutex
	count  int
	marked int
	result ratelimit.Result
	has    bool
}

func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.result, s.has = httplimit.FromContext(r.Context())
	if s.has && !s.result.Allowed {
		s.marked++
	}
	io.WriteString(w, "served")
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHardLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &served{}
		h := middleware(t, keyed(t, ratelimit.PerMinute(6).WithBurst(2))).Handler(s)
		w := get(h, "/")
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, `"default";q=2;w=20`, w.Header().Get("RateLimit-Policy"))
		assert.Equal(t, `"default";r=1;t=10`, w.Header().Get("RateLimit"))
		assert.Empty(t, w.Header().Get("Retry-After"))
		assert.True(t, s.has && s.result.Allowed)
		time.Sleep(3500 * time.Millisecond)
		w = get(h, "/")
		assert.Equal(t, `"default";r=0;t=7`, w.Header().Get("RateLimit"), "6.5 s until the next token, rounded up")
		w = get(h, "/")
		assert.Equal(t, http.StatusTooManyRequests, w.Code)
		assert.Equal(t, "7", w.Header().Get("Retry-After"))
		assert.Equal(t, `"default";r=0;t=7`, w.Header().Get("RateLimit"))
		assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		assert.JSONEq(t, `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",
			"title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"violated-policies":["default"]}`, w.Body.String())
		assert.Equal(t, 2, s.count)
		time.Sleep(7 * time.Second)
		assert.Equal(t, http.StatusOK, get(h, "/").Code, "Retry-After is long enough")
	})
}

// Of several limits the one that binds is named.
func TestSeveralLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := keyed(t, ratelimit.PerSecond(5), ratelimit.PerHour(3))
		h := middleware(t, d, httplimit.WithPolicy("burst", `the "day"`), httplimit.WithLegacyHeaders()).Handler(&served{})
		w := get(h, "/")
		assert.Equal(t, `"burst";q=5;w=1,"the \"day\"";q=3;w=3600`, w.Header().Get("RateLimit-Policy"))
		assert.Equal(t, `"the \"day\"";r=2;t=1200`, w.Header().Get("RateLimit"))
		assert.Equal(t, "3", w.Header().Get("X-RateLimit-Limit"))
		assert.Equal(t, "2", w.Header().Get("X-RateLimit-Remaining"))
		assert.Equal(t, "1200", w.Header().Get("X-RateLimit-Reset"))
		get(h, "/")
		get(h, "/")
		w = get(h, "/")
		assert.Equal(t, http.StatusTooManyRequests, w.Code)
		assert.Contains(t, w.Body.String(), `"violated-policies":["the \"day\""]`)
	})
}

func TestPolicyFollowsSetLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := ratelimit.NewKeyed(ratelimit.PerSecond(5))
		require.NoError(t, err)
		h := middleware(t, d).Handler(&served{})
		assert.Equal(t, `"default";q=5;w=1`, get(h, "/").Header().Get("RateLimit-Policy"))
		require.NoError(t, d.SetLimit(ratelimit.PerSecond(50)))
		time.Sleep(time.Second)
		synctest.Wait() // for the timer of the same instant
		assert.Equal(t, `"default";q=50;w=1`, get(h, "/").Header().Get("RateLimit-Policy"))
	})
}

func TestModes(t *testing.T) {
	limit := ratelimit.PerHour(3)
	t.Run("soft", func(t *testing.T) {
		s := &served{}
		h := middleware(t, keyed(t, limit), httplimit.WithSoft(ratelimit.PerHour(2))).Handler(s)
		for range 5 {
			w := get(h, "/")
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Empty(t, w.Header().Get("Retry-After"))
		}
		assert.Equal(t, 2, s.marked)
		assert.Contains(t, get(h, "/").Header().Get("RateLimit"), "r=0")
		assert.Equal(t, http.StatusTooManyRequests, get(h, "/").Code)
		assert.Equal(t, 5, s.count)
	})
	t.Run("shadow", func(t *testing.T) {
		s := &served{}
		h := middleware(t, keyed(t, limit), httplimit.WithShadow()).Handler(s)
		for range 10 {
			assert.Equal(t, http.StatusOK, get(h, "/").Code)
		}
		assert.Equal(t, 7, s.marked)
	})
	t.Run("delay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for name, d := range map[string]ratelimit.Decider{
				"keyed": keyed(t, ratelimit.PerSecond(1)), "another": decider{keyed(t, ratelimit.PerSecond(1))},
			} {
				h := middleware(t, d, httplimit.WithDelay(2500*time.Millisecond)).Handler(&served{})
				start := time.Now()
				assert.Equal(t, http.StatusOK, get(h, "/").Code)
				for i := range 3 {
					assert.Equal(t, http.StatusOK, get(h, "/").Code, name)
					assert.InDelta(t, time.Duration(i+1)*time.Second, time.Since(start), 2, "the clock is read to 2 ns")
				}
				var wg sync.WaitGroup
				codes := make([]int, 5)
				for i := range codes {
					wg.Go(func() { codes[i] = get(h, "/").Code })
				}
				wg.Wait()
				counts := map[int]int{}
				for _, c := range codes {
					counts[c]++
				}
				assert.Equal(t, map[int]int{200: 2, 429: 3}, counts, "%s: two may wait 1 and 2 s, the others would wait longer", name)
			}
		})
	})
	t.Run("delay without places", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // begins at midnight
			several, err := ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerSecond(1), ratelimit.PerDay(9)})
			require.NoError(t, err)
			window, err := ratelimit.NewKeyed(ratelimit.PerSecond(1), ratelimit.WithAlgorithm(ratelimit.FixedWindow))
			require.NoError(t, err)
			for _, d := range []ratelimit.Decider{several, window} {
				h := middleware(t, d, httplimit.WithDelay(time.Second)).Handler(&served{})
				assert.Equal(t, http.StatusOK, get(h, "/").Code)
				start := time.Now()
				assert.Equal(t, http.StatusOK, get(h, "/").Code)
				assert.InDelta(t, time.Second, time.Since(start), 2)
			}
		})
	})
	t.Run("delay is left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := keyed(t, ratelimit.PerSecond(1))
			h := middleware(t, d, httplimit.WithDelay(time.Minute)).Handler(&served{})
			get(h, "/")
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
			assert.Equal(t, http.StatusServiceUnavailable, w.Code)
			start := time.Now()
			assert.Equal(t, http.StatusOK, get(h, "/").Code)
			assert.InDelta(t, 500*time.Millisecond, time.Since(start), 2, "who left does not hold the place")
		})
	})
	t.Run("too many wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := middleware(t, keyed(t, ratelimit.PerSecond(100)), httplimit.WithDelay(time.Hour)).Handler(&served{})
			var wg sync.WaitGroup
			var mu sync.Mutex
			counts := map[int]int{}
			for range 1200 {
				wg.Go(func() {
					w := get(h, "/")
					mu.Lock()
					defer mu.Unlock()
					counts[w.Code]++
					if w.Code == http.StatusServiceUnavailable {
						assert.Equal(t, "1", w.Header().Get("Retry-After"))
					}
				})
			}
			wg.Wait()
			assert.Equal(t, map[int]int{200: 1100, 503: 100}, counts)
		})
	})
}

// decider hides what a Keyed is beside a Decider.
type decider struct{ ratelimit.Decider }

// broken is a Decider whose store is down.
type broken struct{ err error }

func (b broken) Decide(context.Context, string, int64) (ratelimit.Result, error) {
	return ratelimit.Result{}, b.err
}

func TestStoreDown(t *testing.T) {
	down := broken{errors.New("dial tcp: connection refused")}
	full := broken{fmt.Errorf("redis queue: %w", ratelimit.ErrQueueFull)}
	s := &served{}
	w := get(middleware(t, down).Handler(s), "/")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	assert.Contains(t, w.Body.String(), "temporary-reduced-capacity")
	assert.NotContains(t, w.Body.String(), "connection refused", "what is inside stays inside")
	assert.Empty(t, w.Header().Get("RateLimit"))
	assert.Equal(t, http.StatusOK, get(middleware(t, down, httplimit.WithFailOpen()).Handler(s), "/").Code)
	assert.False(t, s.has)
	assert.Equal(t, http.StatusServiceUnavailable, get(middleware(t, full, httplimit.WithFailOpen()).Handler(s), "/").Code, "a full queue is an answer")
	assert.Equal(t, 1, s.count)
}

func TestWithoutPolicies(t *testing.T) {
	w := get(middleware(t, decider{keyed(t, ratelimit.PerHour(2))}).Handler(&served{}), "/")
	assert.Empty(t, w.Header().Get("RateLimit-Policy"))
	assert.Equal(t, `"default";r=1;t=1800`, w.Header().Get("RateLimit"))
	w = get(middleware(t, keyed(t, ratelimit.PerHour(2)), httplimit.WithoutHeaders()).Handler(&served{}), "/")
	assert.Empty(t, w.Header().Get("RateLimit-Policy")+w.Header().Get("RateLimit"))
}

func TestCostObserverAndOnDeny(t *testing.T) {
	var seen []string
	m := middleware(t, keyed(t, ratelimit.PerHour(100)),
		httplimit.WithCost(func(r *http.Request) int64 { return r.ContentLength }),
		httplimit.WithKey(httplimit.KeyByHeader("API-Key")),
		httplimit.WithObserver(func(_ *http.Request, r ratelimit.Result, err error) {
			seen = append(seen, fmt.Sprintf("%t %d %v", r.Allowed, r.Remaining, err))
		}),
		httplimit.WithOnDeny(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, ok := httplimit.FromContext(r.Context())
			http.Error(w, fmt.Sprint("denied ", ok), http.StatusTeapot)
		})))
	h := m.Handler(&served{})
	post := func(body io.Reader, key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/", body)
		if key != "" {
			r.Header.Set("api-key", key)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	assert.Equal(t, 200, post(strings.NewReader(strings.Repeat("x", 90)), "k").Code)
	w := post(strings.NewReader(strings.Repeat("x", 11)), "k")
	assert.Equal(t, "denied true\n", w.Body.String())
	assert.NotEmpty(t, w.Header().Get("Retry-After"))
	w = post(strings.NewReader(strings.Repeat("x", 101)), "k")
	assert.Equal(t, http.StatusTeapot, w.Code)
	assert.Empty(t, w.Header().Get("Retry-After"), "it never passes")
	w = post(struct{ io.Reader }{strings.NewReader("unknown length")}, "k")
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Contains(t, w.Body.String(), "cost is -1")
	w = post(nil, "")
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Contains(t, w.Body.String(), "header Api-Key has 0 values")
	assert.Equal(t, []string{
		"true 10 <nil>", "false 10 <nil>", "false 10 <nil>", "false 0 httplimit: cost is -1, want at least 0",
		"false 0 httplimit: header Api-Key has 0 values, want one that is not empty",
	}, seen)
}

func TestBadOptions(t *testing.T) {
	d := keyed(t, ratelimit.PerSecond(1))
	for want, opts := range map[string][]httplimit.Option{
		"httplimit: WithShadow, WithSoft and WithDelay exclude each other":   {httplimit.WithShadow(), httplimit.WithDelay(time.Second)},
		"httplimit: delay is 0s, want more than 0":                           {httplimit.WithDelay(0)},
		"httplimit: option 1 is nil":                                         {httplimit.WithShadow(), nil},
		"httplimit: concurrency is 0, want at least 1":                       {httplimit.WithConcurrency(0)},
		"httplimit: policies are 2 names, want 1, one for each limit":        {httplimit.WithPolicy("a", "b")},
		`httplimit: name of policy 0 is "\n", want printable ASCII`:          {httplimit.WithPolicy("\n")},
		`httplimit: name of policy 0 is "", want printable ASCII`:            {httplimit.WithPolicy("")},
		"httplimit: WithoutHeaders and WithLegacyHeaders exclude each other": {httplimit.WithoutHeaders(), httplimit.WithLegacyHeaders()},
	} {
		_, err := httplimit.New(d, opts...)
		assert.EqualError(t, err, want)
	}
	_, err := httplimit.New(nil)
	assert.EqualError(t, err, "httplimit: limiter is nil, want a Decider")
	_, err = httplimit.New(d, httplimit.WithSoft(ratelimit.Limit{}))
	assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
	var zero httplimit.Middleware
	assert.Equal(t, http.StatusOK, get(zero.Handler(&served{}), "/").Code)
}

func TestAllocations(t *testing.T) {
	h := middleware(t, keyed(t, ratelimit.PerSecond(1e6))).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if invariants.Enabled {
		t.Skip("with invariants on, as under -race, more is allocated")
	}
	// The request, its context and one header.
	assert.LessOrEqual(t, testing.AllocsPerRun(1000, func() { clear(w.Header()); h.ServeHTTP(w, r) }), 3.0)
}

// What is under way is bounded, whatever rate it came at; what is beyond is not charged,
// and a handler that panics leaves its place too.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := keyed(t, ratelimit.PerHour(10))
		finish := make(chan struct{})
		busy := 0
		h := middleware(t, d, httplimit.WithConcurrency(2), httplimit.WithObserver(func(_ *http.Request, r ratelimit.Result, err error) {
			if errors.Is(err, httplimit.ErrBusy) {
				busy++
				assert.Zero(t, r)
			}
		})).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-finish
			if r.URL.Path == "/panic" {
				panic(http.ErrAbortHandler)
			}
		}))
		for _, path := range []string{"/", "/panic"} {
			go func() {
				defer func() { _ = recover() }()
				get(h, path)
			}()
		}
		synctest.Wait()
		for range 3 {
			w := get(h, "/")
			assert.Equal(t, 503, w.Code)
			assert.Equal(t, "1", w.Header().Get("Retry-After"))
			assert.Contains(t, w.Body.String(), "temporary-reduced-capacity")
		}
		assert.Equal(t, 3, busy)
		assert.EqualValues(t, 8, d.KeyString("192.0.2.1").Peek().Remaining)
		close(finish)
		synctest.Wait()
		assert.Equal(t, 200, get(h, "/").Code)
	})
}

// An address and an account are two middlewares, and both lists have both.
func TestMiddlewaresAroundOneAnother(t *testing.T) {
	account := middleware(t, keyed(t, ratelimit.PerHour(2)), httplimit.WithPolicy("account"), httplimit.WithKey(httplimit.KeyByHeader("Account")))
	address := middleware(t, keyed(t, ratelimit.PerHour(10)), httplimit.WithPolicy("address"))
	s := &served{}
	h := address.Handler(account.Handler(s))
	for i, want := range []int{200, 200, 429} {
		w := get(h, "/", "Account", "a")
		assert.Equal(t, want, w.Code)
		assert.Equal(t, []string{`"address";q=10;w=3600`, `"account";q=2;w=3600`}, w.Header().Values("RateLimit-Policy"))
		fields := w.Header().Values("RateLimit")
		require.Len(t, fields, 2)
		assert.Regexp(t, fmt.Sprintf(`^"address";r=%d;t=`, 9-i), fields[0])
		assert.Regexp(t, fmt.Sprintf(`^"account";r=%d;t=`, max(0, 1-i)), fields[1])
	}
	assert.Equal(t, 2, s.count)
	assert.Equal(t, int64(2), s.result.Limit, "the innermost one's")
}
