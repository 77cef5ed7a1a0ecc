package gateway

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const noRules = "[]"

// front is a gateway in front of handlers, each of which has a server of its own.
type front struct {
	*gateway
	t        *testing.T
	server   *httptest.Server
	backends []*httptest.Server
	said     notes
}

func newFront(t *testing.T, o options, rules string, handlers ...http.HandlerFunc) *front {
	t.Helper()
	f := &front{t: t}
	for _, h := range handlers {
		b := httptest.NewServer(h)
		t.Cleanup(b.Close)
		f.backends = append(f.backends, b)
		o.backends = append(o.backends, b.URL)
	}
	if o.balance == "" {
		o.balance = "roundrobin"
	}
	o.threshold, o.interval = 2, time.Second
	transport := o.transport()
	t.Cleanup(transport.CloseIdleConnections)
	g, err := o.gateway(Local, log.New(&f.said, "", 0), transport, []byte(rules))
	require.NoError(t, err)
	f.gateway, f.server = g, httptest.NewServer(g.limits)
	t.Cleanup(f.server.Close)
	return f
}

// do sends a request and returns the answer with its body read.
func (f *front) do(method, path, body string, headers ...string) (*http.Response, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.server.URL+path, strings.NewReader(body))
	require.NoError(f.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := f.server.Client().Do(r)
	require.NoError(f.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(f.t, err)
	return answer, string(text)
}

func (f *front) problem(answer *http.Response, body string, status int, detail string) {
	f.t.Helper()
	assert.Equal(f.t, status, answer.StatusCode)
	assert.Equal(f.t, "application/problem+json", answer.Header.Get("Content-Type"))
	var p struct {
		Status        int
		Title, Detail string
	}
	require.NoError(f.t, json.Unmarshal([]byte(body), &p))
	assert.Equal(f.t, status, p.Status)
	assert.Equal(f.t, http.StatusText(status), p.Title)
	assert.Equal(f.t, detail, p.Detail)
}

// echo says what arrived.
func echo(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q from %v, %v", name, r.Method, r.URL, body, r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Host"])
	}
}

// What a client claims about where it comes from is worth something only if a proxy
// that is trusted says it.
func TestForwardedHeaders(t *testing.T) {
	claims := []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Host", "example.org", "Forwarded", "for=203.0.113.9", "X-Real-Ip", "203.0.113.9"}
	f := newFront(t, options{}, noRules, echo("a"))
	_, body := f.do("GET", "/x?y=%20", "", claims...)
	assert.Equal(t, fmt.Sprintf(`a GET /x?y=%%20 "" from [127.0.0.1], [%s]`, f.server.Listener.Addr()), body)
	f = newFront(t, options{trust: []string{"127.0.0.0/8"}}, noRules, echo("a"))
	_, body = f.do("POST", "/", "text", claims...)
	assert.Equal(t, `a POST / "text" from [203.0.113.9, 127.0.0.1], [example.org]`, body)
}

// A request whose backend refuses the connection goes to another, with its body; who
// refused is down at once.
func TestAnotherTry(t *testing.T) {
	f := newFront(t, options{}, noRules, echo("a"), echo("b"), echo("c"))
	f.backends[0].Close()
	f.backends[1].Close()
	for range 2 { // the turns of a and of b
		answer, body := f.do("POST", "/", "text")
		assert.Equal(t, 200, answer.StatusCode)
		assert.Contains(t, body, `c POST / "text"`)
	}
	said := f.said.take()
	assert.Contains(t, said, f.backends[0].URL+" is down, 2 of 3 are up")
	assert.Contains(t, said, f.backends[1].URL+" is down, 1 of 3 are up")
	f.backends[2].Close()
	answer, body := f.do("GET", "/", "")
	f.problem(answer, body, 503, "No backend is alive")
	assert.Equal(t, "1", answer.Header.Get("Retry-After"))
	answer, body = f.do("GET", "/", "") // without a try
	f.problem(answer, body, 503, "No backend is alive")
}

// A request that a backend may have done is not sent again; in a row, lost connections
// count like failed checks.
func TestLostConnections(t *testing.T) {
	var tries atomic.Int64
	f := newFront(t, options{}, noRules, func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		panic(http.ErrAbortHandler)
	})
	for i := range 2 {
		answer, body := f.do("POST", "/", "text")
		f.problem(answer, body, 502, "The connection to the backend was lost")
		assert.Equal(t, int64(i+1), tries.Load())
	}
	answer, body := f.do("POST", "/", "text")
	f.problem(answer, body, 503, "No backend is alive")
	assert.Equal(t, int64(2), tries.Load())
}

// A body that has been read cannot be sent to another backend.
func TestNoTryWithoutTheBody(t *testing.T) {
	g, err := options{backends: []string{"http://a", "http://b"}, balance: "roundrobin", threshold: 2}.gateway(Local, quiet(),
		roundTrip(func(r *http.Request) (*http.Response, error) {
			_, _ = r.Body.Read(make([]byte, 1))
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}), []byte(noRules))
	require.NoError(t, err)
	w := httptest.NewRecorder()
	g.limits.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader("text")))
	(&front{t: t}).problem(w.Result(), w.Body.String(), 502, "The backend does not answer")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A slow backend answers for itself: 504, it stays up, and others are not slower.
func TestSlowBackend(t *testing.T) {
	stop := make(chan struct{})
	f := newFront(t, options{timeout: 50 * time.Millisecond}, noRules, func(w http.ResponseWriter, r *http.Request) { <-stop }, echo("b"))
	defer close(stop)
	for range 2 {
		answer, body := f.do("GET", "/", "")
		f.problem(answer, body, 504, "The backend did not answer in time")
		_, body = f.do("GET", "/", "")
		assert.Contains(t, body, "b GET")
	}
	assert.Empty(t, f.said.take())
}

// What a backend writes arrives before it writes the rest.
func TestStreams(t *testing.T) {
	next := make(chan struct{})
	f := newFront(t, options{balance: "least"}, noRules, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			fmt.Fprint(w, "data: tick\n\n")
			w.(http.Flusher).Flush()
			<-next
		}
	})
	answer, err := f.server.Client().Get(f.server.URL)
	require.NoError(t, err)
	lines := bufio.NewReader(answer.Body)
	for range 3 {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "data: tick\n", line)
		_, _ = lines.ReadString('\n')
		assert.Equal(t, int64(1), f.pool.all[0].busy.Load(), "it is under way")
		next <- struct{}{}
	}
	_, err = lines.ReadString('\n')
	assert.ErrorIs(t, err, io.EOF)
	require.NoError(t, answer.Body.Close())
}

// upgrade switches to a protocol that says what it hears, as websockets do.
func upgrade(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
	_ = rw.Flush()
	_, _ = io.Copy(conn, rw)
}

// dialUpgraded returns a connection on which the backend says what it hears.
func dialUpgraded(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	fmt.Fprint(conn, "GET /chat HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	lines := bufio.NewReader(conn)
	answer, err := http.ReadResponse(lines, nil)
	require.NoError(t, err)
	require.Equal(t, 101, answer.StatusCode)
	return conn, lines
}

func TestUpgradedConnections(t *testing.T) {
	f := newFront(t, options{balance: "least"}, noRules, upgrade)
	conn, lines := dialUpgraded(t, f.server.Listener.Addr().String())
	for _, text := range []string{"hello\n", "again\n"} {
		fmt.Fprint(conn, text)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, text, line)
		assert.Equal(t, int64(1), f.pool.all[0].busy.Load(), "it is under way")
	}
	require.NoError(t, conn.Close())
	assert.Eventually(t, func() bool { return f.pool.all[0].busy.Load() == 0 }, 10*time.Second, time.Millisecond)
}
