package gateway

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"sync/atomic"
)

// proxy passes a request on to a backend: streams as they come, upgraded connections
// (websockets) both ways.
type proxy struct {
	pool    *pool
	trust   []netip.Prefix
	reverse httputil.ReverseProxy
}

func newProxy(p *pool, trust []netip.Prefix, transport http.RoundTripper, logger *log.Logger) *proxy {
	x := &proxy{pool: p, trust: trust}
	x.reverse = httputil.ReverseProxy{
		Rewrite: x.rewrite, Transport: transport, ErrorLog: logger,
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) { attemptOf(r).err = err },
	}
	return x
}

// attempt is one try to pass a request on.
type attempt struct {
	backend *backend
	err     error
}

type attemptKey struct{}

func attemptOf(r *http.Request) *attempt { return r.Context().Value(attemptKey{}).(*attempt) }

// ServeHTTP tries backends until one takes the connection, if nothing of the request
// is lost by then.
func (x *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := &unread{ReadCloser: r.Body}
	for range x.pool.all {
		a := x.try(w, r, body)
		switch {
		case a.backend == nil:
			unavailable(w)
			return
		case a.err == nil, r.Context().Err() != nil: // done, or there is nobody to tell
			return
		case isTimeout(a.err):
			writeProblem(w, http.StatusGatewayTimeout, "The backend did not answer in time")
			return
		case !isDial(a.err):
			x.pool.observe(a.backend, a.err, x.pool.threshold)
			writeProblem(w, http.StatusBadGateway, "The connection to the backend was lost")
			return
		}
		x.pool.observe(a.backend, a.err, 1)
		if body.touched.Load() {
			writeProblem(w, http.StatusBadGateway, "The backend does not answer")
			return
		}
	}
	unavailable(w)
}

func (x *proxy) try(w http.ResponseWriter, r *http.Request, body *unread) *attempt {
	b, release := x.pool.balance.acquire(r)
	a := &attempt{backend: b}
	if b == nil {
		return a
	}
	defer release() // also when the proxy panics, since the client has gone
	out := r.WithContext(context.WithValue(r.Context(), attemptKey{}, a))
	out.Body = body
	x.reverse.ServeHTTP(w, out)
	return a
}

// rewrite says who asks: what a client claims in X-Forwarded-For is dropped, what a
// trusted proxy says is kept. The host is the one that the client asked for.
func (x *proxy) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(attemptOf(r.In).backend.url)
	r.Out.Host = r.In.Host
	from, err := netip.ParseAddrPort(r.In.RemoteAddr)
	trusted := err == nil && slices.ContainsFunc(x.trust, func(p netip.Prefix) bool { return p.Contains(from.Addr().Unmap()) })
	if trusted {
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	}
	r.SetXForwarded()
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := r.In.Header[name]; trusted && len(values) > 0 {
			r.Out.Header[name] = values
		}
	}
}

// unread is a body that knows whether any of it was read: until then the request can
// be passed on to another backend. (ReverseProxy does not close it, the server does.)
type unread struct {
	io.ReadCloser
	touched atomic.Bool
}

func (u *unread) Read(p []byte) (int, error) {
	u.touched.Store(true)
	return u.ReadCloser.Read(p)
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() && !isDial(err)
}
