package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// demoRules refill slowly, so that what the script shows does not depend on how fast
// it runs; and its clock stands still but for what it says.
const demoRules = `[
  {"name": "client",  "pattern": "/",           "per": "ip",        "limit": "3/m"},
  {"name": "address", "pattern": "POST /login", "per": "ip",        "limit": "10/m"},
  {"name": "account", "pattern": "POST /login", "per": "form:user", "limit": "3/15m"}
]`

// stage is a gateway with backends and clients in this process, over real sockets.
type stage struct {
	out      io.Writer
	clock    atomic.Int64                // nanoseconds
	backends map[string]*httptest.Server // by host
	front    *httptest.Server
}

func demo(ctx context.Context, out io.Writer) error {
	s := &stage{out: out, backends: map[string]*httptest.Server{}}
	o := options{threshold: 2, timeout: time.Minute, interval: time.Minute, balance: "roundrobin"}
	for _, name := range []string{"a", "b", "c"} {
		s.backends[name+":80"] = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Backend", name)
			if r.URL.Path == "/login" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		}))
		defer s.backends[name+":80"].Close()
		o.backends = append(o.backends, "http://"+name)
	}
	o.trust = []string{"127.0.0.0/8"} // where the clients' proxy is
	transport := o.transport()
	transport.DialContext = s.dial
	defer transport.CloseIdleConnections()
	store := func(_ string, limits []ratelimit.Limit) (ratelimit.Decider, error) {
		return ratelimit.NewKeyed(limits[0], ratelimit.WithClock(func() time.Duration { return time.Duration(s.clock.Load()) }))
	}
	g, err := o.gateway(store, log.New(out, "  gateway: ", 0), transport, []byte(demoRules))
	if err != nil {
		return err
	}
	s.front = httptest.NewServer(g.limits)
	defer s.front.Close()
	return s.play(ctx)
}

// dial finds a backend by its name.
func (s *stage) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, s.backends[address].Listener.Addr().String())
	if err != nil {
		err = &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")} // without the port
	}
	return conn, err
}

func (s *stage) play(ctx context.Context) error {
	s.say("Backends a, b and c take turns. A client has 3 requests a minute, an IPv6 client is its /64:")
	for _, client := range []string{"192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.7", "2001:db8::1", "2001:db8::2"} {
		if err := s.send(ctx, client, "GET", "/", ""); err != nil {
			return err
		}
	}
	s.clock.Add(int64(20 * time.Second))
	s.say("After 20 s:")
	if err := s.send(ctx, "192.0.2.7", "GET", "/", ""); err != nil {
		return err
	}
	s.say("Passwords of alice are tried from address after address, but an account has 3 tries in 15 minutes:")
	for i, name := range []string{"alice", "Alice", "ALICE", " alice", "bob"} {
		if err := s.send(ctx, fmt.Sprint("198.51.100.", i+1), "POST", "/login", "user="+name); err != nil {
			return err
		}
	}
	s.say("b dies, and the request whose turn it was gets another backend:")
	s.backends["b:80"].Close()
	for i := range 3 {
		if err := s.send(ctx, fmt.Sprint("203.0.113.", i+1), "GET", "/", ""); err != nil {
			return err
		}
	}
	s.say("All die:")
	s.backends["a:80"].Close()
	s.backends["c:80"].Close()
	return s.send(ctx, "203.0.113.4", "GET", "/", "")
}

func (s *stage) say(text string) { fmt.Fprintln(s.out, text) }

// send sends a request as a client's proxy does, and prints what comes back.
func (s *stage) send(ctx context.Context, client, method, path, form string) error {
	r, err := http.NewRequestWithContext(ctx, method, s.front.URL+path, strings.NewReader(form))
	if err != nil {
		return err
	}
	r.Header.Set("X-Forwarded-For", client)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.front.Client().Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	line := fmt.Sprintf("  %-12s %-4s %-6s %-11s %d", client, method, path, form, answer.StatusCode)
	if b := answer.Header.Get("X-Backend"); b != "" {
		line += " from " + b
	}
	if after := answer.Header.Get("Retry-After"); after != "" {
		line += ", retry after " + after + " s"
	}
	if limits := strings.Join(answer.Header.Values("RateLimit"), ", "); limits != "" {
		line += "  " + limits
	}
	fmt.Fprintln(s.out, line)
	return nil
}
