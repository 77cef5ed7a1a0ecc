package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

//go:embed web
var webFiles embed.FS

// page shows the cluster: its ring, its nodes and its throughput. It serves
// files of its own, the public API of any running node under /v1, and two
// commands.
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
	mux.HandleFunc("GET /events", p.serveEvents)
	mux.HandleFunc("POST /admin/kill/{node}", p.command(c.Kill))
	mux.HandleFunc("POST /admin/revive/{node}", p.command(c.Start))
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
			r.Out.URL.Host = p.cluster.Addr(running[rand.IntN(len(running))].name)
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

// serveRing sends the arcs of the ring: where each ends, as a fraction of the
// circle, and whose it is.
func (p *page) serveRing(w http.ResponseWriter, _ *http.Request) {
	type arc struct {
		End  float64 `json:"end"`
		Node string  `json:"node"`
	}
	arcs := []arc{}
	if r := p.cluster.Ring(); r != nil {
		for token, node := range r.Tokens() {
			arcs = append(arcs, arc{float64(token) / math.MaxUint64, node.ID})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(arcs)
}

// pageState is one event.
type pageState struct {
	Caption string      `json:"caption"`
	Ops     float64     `json:"ops"`
	Total   uint64      `json:"total"`
	Nodes   []nodeState `json:"nodes"`
}

type nodeState struct {
	Name     string  `json:"name"`
	Zone     string  `json:"zone"`
	State    string  `json:"state"`
	Share    float64 `json:"share"`
	Hints    int     `json:"hints"`
	Segments int     `json:"segments"`
	Reads    uint64  `json:"reads"`
	Cached   float64 `json:"cached"`  // share of the reads past memory that the cache answered
	Skipped  float64 `json:"skipped"` // share of vain segment reads that the filter spared
}

const eventInterval = 250 * time.Millisecond

func (p *page) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	tick := time.NewTicker(eventInterval)
	defer tick.Stop()
	last, when := p.driver.total.Load(), time.Now()
	for {
		total, now := p.driver.total.Load(), time.Now()
		state := p.state()
		state.Total, state.Ops = total, float64(total-last)/now.Sub(when).Seconds()
		last, when = total, now
		data, err := json.Marshal(state)
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-p.closing:
			return
		case <-tick.C:
		}
	}
}

func (p *page) state() pageState {
	p.mu.Lock()
	s := pageState{Caption: p.caption}
	p.mu.Unlock()
	running := map[string]*Node{}
	for _, n := range p.cluster.Running() {
		running[n.name] = n
	}
	ring := p.cluster.Ring()
	for _, m := range p.cluster.Members() {
		state := nodeState{Name: m.ID, Zone: m.Zone, State: "down"}
		if ring != nil {
			state.Share = ring.Share(m.ID, 1)
		}
		if n := running[m.ID]; n != nil {
			e := n.engine.Stats()
			state.State, state.Hints, state.Segments, state.Reads = "up", n.hints.pending(), e.Segments, e.Reads
			state.Cached = ratio(e.CacheHits, e.CacheHits+e.DiskHits)
			state.Skipped = ratio(e.Skipped, e.Skipped+e.FalseReads)
		}
		s.Nodes = append(s.Nodes, state)
	}
	return s
}

func ratio(part, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}
