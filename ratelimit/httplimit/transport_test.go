package httplimit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script answers requests with these codes and Retry-After values, and 200 when
// there are no more.
type script struct {
	answers []string // "429 3": code and Retry-After
	bodies  []string
	times   []time.Duration
	start   time.Time
	closed  int
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.times = append(s.times, time.Since(s.start))
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		s.bodies = append(s.bodies, string(b))
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: r}
	if len(s.answers) > 0 {
		code, after, _ := strings.Cut(s.answers[0], " ")
		s.answers = s.answers[1:]
		switch code {
		case "429":
			resp.StatusCode = 429
		case "503":
			resp.StatusCode = 503
		default:
			return nil, errors.New(code)
		}
		if after != "" {
			resp.Header.Set("Retry-After", after)
		}
	}
	resp.Body = &counted{Reader: strings.NewReader("body"), s: s}
	return resp, nil
}

type counted struct {
	io.Reader
	s *script
}

func (c *counted) Close() error { c.s.closed++; return nil }

func send(t *testing.T, s *script, method, body string, opts ...httplimit.TransportOption) (*http.Response, error) {
	t.Helper()
	s.start = time.Now()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://x/", r)
	require.NoError(t, err)
	return httplimit.NewTransport(s, opts...).RoundTrip(req)
}

func TestTransportObeysRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{"429 3", "503 " + time.Now().Add(10*time.Second).UTC().Format(http.TimeFormat), "429 0"}}
		resp, err := send(t, s, "POST", "data")
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, []time.Duration{0, 3 * time.Second, 10 * time.Second, 10 * time.Second}, s.times)
		assert.Equal(t, []string{"data", "data", "data", "data"}, s.bodies)
		assert.Equal(t, 3, s.closed, "answers that are not passed on are closed")
	})
}

func TestTransportGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			answers []string
			opts    []httplimit.TransportOption
			sent    int
		}{
			"after three retries": {[]string{"429 1", "429 1", "429 1", "429 1", "429 1"}, nil, 4},
			"at once":             {[]string{"429 1"}, []httplimit.TransportOption{httplimit.WithRetries(0)}, 1},
			"too long":            {[]string{"429 61"}, nil, 1},
			"for ever":            {[]string{"429 99999999999"}, nil, 1},
			"beyond all numbers":  {[]string{"503 99999999999999999999"}, nil, 1},
			"too long in all":     {[]string{"429 40", "429 40"}, nil, 2},
			"no time at all":      {[]string{"503 1"}, []httplimit.TransportOption{httplimit.WithMaxWait(0)}, 1},
		} {
			s := &script{answers: c.answers}
			resp, err := send(t, s, "GET", "", c.opts...)
			require.NoError(t, err, name)
			assert.Contains(t, []int{429, 503}, resp.StatusCode, name)
			assert.Len(t, s.times, c.sent, name)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, "body", string(body), "the last answer is whole")
		}

		s := &script{answers: []string{"503 9"}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", "http://x/", nil)
		require.NoError(t, err)
		start := time.Now()
		resp, err := httplimit.NewTransport(s).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		assert.Zero(t, time.Since(start), "it does not wait for what would come too late")

		s = &script{answers: []string{"503 9"}}
		ctx, cancel = context.WithCancel(t.Context())
		req, err = http.NewRequestWithContext(ctx, "GET", "http://x/", nil)
		require.NoError(t, err)
		time.AfterFunc(2*time.Second, cancel)
		_, err = httplimit.NewTransport(s).RoundTrip(req)
		assert.ErrorIs(t, err, context.Canceled)

		s = &script{answers: []string{"unreachable"}}
		_, err = send(t, s, "GET", "")
		assert.EqualError(t, err, "unreachable", "other errors are the caller's")

		req, err = http.NewRequestWithContext(t.Context(), "POST", "http://x/", struct{ io.Reader }{strings.NewReader("once")})
		require.NoError(t, err)
		s = &script{answers: []string{"429 1"}}
		resp, err = httplimit.NewTransport(s).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 429, resp.StatusCode, "a body that cannot be rewound is not sent twice")
		assert.Len(t, s.times, 1)
	})
}

// Without Retry-After the waits are random parts of times that double.
func TestTransportBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rounds = 2000
		var sums [3]time.Duration
		for range rounds {
			s := &script{answers: []string{"503", "503 soon", "429"}}
			_, err := send(t, s, "GET", "", httplimit.WithRetryBudget(1))
			require.NoError(t, err)
			for i := range sums {
				wait := s.times[i+1] - s.times[i]
				require.Less(t, wait, 500*time.Millisecond<<i)
				sums[i] += wait
			}
		}
		for i, sum := range sums { // uniform: mean a/2, standard error a/sqrt(12 n); six of them
			a := float64(500 * time.Millisecond << i)
			assert.InDelta(t, a/2, float64(sum)/rounds, 6*a/155)
		}
	})
}

// A server that is down gets ten requests again, and then a fifth more than usual.
func TestTransportKeepsItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{start: time.Now()}
		for range 10_000 {
			s.answers = append(s.answers, "503 1")
		}
		rt := httplimit.NewTransport(s)
		for range 1000 {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://x/", nil)
			require.NoError(t, err)
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, 503, resp.StatusCode)
		}
		assert.InDelta(t, 1000+10+200, len(s.times), 1)
	})
}

func TestTransportOptions(t *testing.T) {
	for want, o := range map[string]httplimit.TransportOption{
		"httplimit: option 0 of NewTransport is nil":      nil,
		"httplimit: retries are -1, want 0 to 100":        httplimit.WithRetries(-1),
		"httplimit: longest wait is -1s, want at least 0": httplimit.WithMaxWait(-time.Second),
		"httplimit: retry budget is 1.5, want 0 to 1":     httplimit.WithRetryBudget(1.5),
	} {
		_, err := send(t, &script{}, "POST", "body", o)
		assert.EqualError(t, err, want)
	}
	assert.NotNil(t, httplimit.NewTransport(nil))
}
