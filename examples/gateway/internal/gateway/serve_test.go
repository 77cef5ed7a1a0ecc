package gateway

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serving is a gateway that serves until stop is called, which returns what serve does.
func serving(t *testing.T, o options, store Store, rules string) (url string, said *notes, stop func() error) {
	t.Helper()
	o.balance, o.threshold, o.interval, o.poll = "roundrobin", 2, time.Hour, time.Hour
	said = &notes{}
	transport := o.transport()
	g, err := o.gateway(store, log.New(said, "", 0), transport, []byte(rules))
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.serve(ctx, l) }()
	return "http://" + l.Addr().String(), said, func() error {
		defer transport.CloseIdleConnections()
		cancel()
		return <-done
	}
}

func backendOf(t *testing.T, h http.HandlerFunc) []string {
	b := httptest.NewServer(h)
	t.Cleanup(b.Close)
	return []string{b.URL}
}

// A gateway that is told to stop answers what has begun, and nothing else.
func TestGracefulStop(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	slow := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(arrived)
			<-finish
			fmt.Fprint(w, "done")
		}
	}
	url, said, stop := serving(t, options{backends: backendOf(t, slow), grace: time.Minute}, Local, noRules)
	stopped := make(chan error)
	body := make(chan string)
	go func() {
		answer, err := http.Get(url + "/slow")
		if !assert.NoError(t, err) {
			body <- ""
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		body <- string(text)
	}()
	<-arrived
	go func() { stopped <- stop() }()
	assert.Eventually(t, func() bool { // until it takes no more
		conn, err := net.Dial("tcp", url[len("http://"):])
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond)
	select {
	case <-stopped:
		t.Error("a request is under way")
	default:
	}
	close(finish)
	assert.Equal(t, "done", <-body)
	require.NoError(t, <-stopped)
	assert.Equal(t, fmt.Sprintf("at %s, 1 backends, roundrobin, 0 rules\nstops: requests under way have 1m0s\n", url), said.take())
}

// What does not end in time is cut, and so are upgraded connections.
func TestStopCuts(t *testing.T) {
	gone := make(chan struct{})
	handler := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chat":
			upgrade(w, r)
		case "/endless":
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			close(gone)
		}
	}
	url, _, stop := serving(t, options{backends: backendOf(t, handler), grace: 50 * time.Millisecond}, Local, noRules)
	conn, lines := dialUpgraded(t, url[len("http://"):])
	defer conn.Close()
	answer, err := http.Get(url + "/endless")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.NoError(t, stop())
	<-gone
	_, err = io.ReadAll(answer.Body)
	require.Error(t, err)
	_, err = lines.ReadByte()
	require.Error(t, err)
}

// Four gateways that share a store admit together what one limit allows.
func TestFourInstances(t *testing.T) {
	shared := map[string]ratelimit.Decider{}
	store := func(rule string, limits []ratelimit.Limit) (ratelimit.Decider, error) {
		if shared[rule] == nil {
			d, err := Local(rule, limits)
			if err != nil {
				return nil, err
			}
			shared[rule] = d
		}
		return shared[rule], nil
	}
	backend := backendOf(t, func(http.ResponseWriter, *http.Request) {})
	const rules = `[{"name": "client", "pattern": "/", "per": "ip", "limit": "20/h"}]`
	var passed, refused atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		url, _, stop := serving(t, options{backends: backend}, store, rules)
		defer func() { assert.NoError(t, stop()) }()
		group.Go(func() {
			for range 30 {
				answer, err := http.Get(url)
				if !assert.NoError(t, err) {
					return
				}
				_ = answer.Body.Close()
				switch answer.StatusCode {
				case 200:
					passed.Add(1)
				case 429:
					refused.Add(1)
				}
			}
		})
	}
	group.Wait()
	assert.Equal(t, int64(20), passed.Load())
	assert.Equal(t, int64(100), refused.Load())
}

// The program as a whole: from its flags to its end.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	closed := atomic.Bool{}
	p := Program{Redis: func(address string, share float64, _ *log.Logger) (Store, io.Closer, error) {
		assert.Equal(t, "redis:6379", address)
		assert.Equal(t, 0.5, share)
		return Local, closer(func() { closed.Store(true) }), nil
	}}
	done := make(chan error, 1)
	backend := backendOf(t, echo("a"))
	go func() {
		done <- p.Run(ctx, []string{"-backend", backend[0] + "/base,weight=2", "-listen", "127.0.0.1:0", "-redis", "redis:6379", "-fallback", "0.5", "-grace", "1s", "-balance", "weighted"}, w)
	}()
	var url string
	_, err := fmt.Fscanf(r, "gateway: at %s", &url)
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, r) }()
	answer, err := http.Get(url[:len(url)-1] + "/path")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "a GET /base/path")
	assert.Equal(t, `"client";q=100;w=2`, answer.Header.Get("RateLimit-Policy"), "the rules of its own")
	cancel()
	require.NoError(t, <-done)
	assert.True(t, closed.Load())
}

type closer func()

func (c closer) Close() error { c(); return nil }
