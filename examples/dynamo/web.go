package main

import (
	"embed"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

//go:embed web
var webFiles embed.FS

// page shows the cluster. It serves files of its own, the state four times a
// second, the public API of any running node under /v1, and commands.
type page struct {
	cluster *Cluster
	driver  *driver
	server  *http.Server
	addr    string
	done    sync.WaitGroup
	closing chan struct{}

	mu      sync.Mutex
	caption string
}

func servePage(addr string, c *Cluster, d *driver) (*page, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-addr is %q: %w", addr, err)
	}
	files, err := fs.Sub(webFiles, "web")
	if err != nil {
		return nil, err
	}
	p := &page{cluster: c, driver: d, addr: l.Addr().String(), closing: make(chan struct{})}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(files))
	mux.HandleFunc("GET /ring", p.serveRing)
	mux.HandleFunc("GET /state", p.serveState)
	mux.HandleFunc("GET /events", p.serveEvents)
	mux.HandleFunc("GET /key/{key...}", p.serveKey)
	mux.HandleFunc("GET /guarantee", p.serveGuarantee)
	mux.HandleFunc("POST /admin/kill/{node}", p.command(c.Kill))
	mux.HandleFunc("POST /admin/revive/{node}", p.command(c.Start))
	mux.HandleFunc("POST /admin/partition/{node}", p.command(func(node string) error { return c.Cut([]string{node}) }))
	mux.HandleFunc("POST /admin/heal", p.command(func(string) error { c.Heal(); return nil }))
	mux.HandleFunc("POST /admin/levels", p.serveLevels)
	mux.Handle("/v1/", p.anyNode())
	p.server = &http.Server{Handler: guard(mux), ReadHeaderTimeout: 5 * time.Second}
	p.done.Go(func() { p.server.Serve(l) })
	return p, nil
}

// guard refuses commands from other sites and lets the page load nothing from
// elsewhere.
func guard(h http.Handler) http.Handler {
	h = http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		h.ServeHTTP(w, r)
	})
}

func (p *page) URL() string { return "http://" + p.addr + "/" }

// Notice sets the caption.
func (p *page) Notice(caption string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.caption = caption
}

func (p *page) Close() error {
	close(p.closing) // ends the streams of events
	err := p.server.Close()
	p.done.Wait()
	return err
}

// anyNode passes a request of the public API to a node that runs.
func (p *page) anyNode() http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", "no.node.runs.invalid"
		if running := p.cluster.Running(); len(running) > 0 {
			r.Out.URL.Host = p.cluster.Addr(running[rand.IntN(len(running))].Name())
		}
	}}
}

func (p *page) command(do func(node string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(r.PathValue("node")); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
