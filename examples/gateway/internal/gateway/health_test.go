package gateway

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthChangesAtTheThreshold(t *testing.T) {
	for outcomes, want := range map[string]string{
		"+++":       "+++",
		"--+":       "+--", // at a threshold of 2
		"-+-+-":     "+++++",
		"--+-+--":   "+------",
		"--++--++-": "+--++--++",
	} {
		h := health{up: true}
		var got strings.Builder
		for _, o := range outcomes {
			before := h.up
			assert.Equal(t, h.observe(o == '+', 2), before != h.up)
			if h.up {
				got.WriteString("+")
			} else {
				got.WriteString("-")
			}
		}
		assert.Equal(t, want, got.String(), outcomes)
	}
	h := health{up: true}
	assert.True(t, h.observe(false, 1), "a refused connection is proof")
}

// notes are what was logged.
type notes struct {
	mu   sync.Mutex
	text strings.Builder
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

// take returns what was logged since it was called last.
func (n *notes) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer n.text.Reset()
	return n.text.String()
}

// ward answers checks as the test says.
type ward struct {
	mu     sync.Mutex
	answer map[string]func(*http.Request) (*http.Response, error) // by host
	asked  []time.Duration
	start  time.Time
}

func (w *ward) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	answer := w.answer[r.URL.Host]
	if r.URL.Host == "a" {
		w.asked = append(w.asked, time.Since(w.start))
	}
	w.mu.Unlock()
	return answer(r)
}

func (w *ward) set(host string, answer func(*http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer[host] = answer
}

func status(code int) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Status: http.StatusText(code), Body: io.NopCloser(strings.NewReader(""))}, nil
	}
}

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &ward{start: time.Now(), answer: map[string]func(*http.Request) (*http.Response, error){"a": status(404), "b": status(302)}}
		said := &notes{}
		o := options{backends: []string{"http://a", "http://b/base"}, balance: "roundrobin", threshold: 2, interval: time.Second, health: "/healthz"}
		g, err := o.gateway(Local, log.New(said, "", 0), w, defaultRules)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { g.check(ctx) })
		says := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			assert.Equal(t, want, said.take())
		}
		says(5500*time.Millisecond, "") // 404 and 302 are answers
		assert.Equal(t, []time.Duration{0, 1e9, 2e9, 3e9, 4e9, 5e9}, w.asked)
		w.set("a", status(503))
		says(time.Second, "")
		says(time.Second, "http://a is down, 1 of 2 are up: answers that it is not well: Service Unavailable\n")
		assert.Equal(t, "b b b", sequence(g.pool.balance, 3))
		w.set("b", hangs) // until the time of a check is over
		says(2*time.Second, "")
		says(time.Second, `http://b/base is down, 0 of 2 are up: Get "http://b/base/healthz": context deadline exceeded`+"\n")
		w.set("a", status(200))
		says(time.Second, "")
		says(time.Second, "http://a is up, 1 of 2 are\n")
		g.pool.observe(g.pool.all[0], errors.New("connection refused"), 1)
		says(0, "http://a is down, 0 of 2 are up: connection refused\n")
		says(time.Second, "")
		says(time.Second, "http://a is up, 1 of 2 are\n")
		cancel()
		group.Wait()
	})
}
