package main

// What the page shows, as JSON.

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/ring"
)

// pageState is one event: 3 to 6 kB.
type pageState struct {
	Caption string      `json:"caption"`
	Ops     float64     `json:"ops"`
	Total   uint64      `json:"total"`
	Get     [2]float64  `json:"get"` // p50 and p99 of the last quarter second, ms
	Put     [2]float64  `json:"put"`
	N       int         `json:"n"`
	R       int         `json:"r"`
	W       int         `json:"w"`
	Cut     bool        `json:"cut"`
	Nodes   []nodeState `json:"nodes"`
	Hot     []hotKey    `json:"hot"`
	Clients [3]uint64   `json:"clients"` // estimate, and one standard error around it
	Denied  []hotKey    `json:"denied"`  // clients that were told to wait
	Ranges  string      `json:"ranges"`  // a letter each: equal, behind, or unknown while an owner is away
	Keys    []keyDot    `json:"keys"`    // some of the last requests
	Ring    string      `json:"ring"`    // fingerprint: the page draws the ring when it changes
}

type nodeState struct {
	Name     string  `json:"name"`
	Zone     string  `json:"zone"`
	State    string  `json:"state"`
	Share    float64 `json:"share"`
	Keys     int     `json:"keys"`
	Hints    int     `json:"hints"`
	Segments int     `json:"segments"`
	Cached   float64 `json:"cached"`  // share of the reads past memory that the cache answered
	Skipped  float64 `json:"skipped"` // share of vain segment reads that the filter spared
	Away     bool    `json:"away"`    // cut off
}

type hotKey struct {
	Key   string `json:"key"`
	Count uint64 `json:"count"`
	Error uint64 `json:"error"`
}

// keyDot is a key of a request: where it is on the circle, and who owns it.
type keyDot struct {
	At     float64  `json:"at"`
	Owners []string `json:"owners"`
	Write  bool     `json:"write"`
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
		state.Total, state.Ops = total, float64(total-last)/max(now.Sub(when).Seconds(), 1e-3)
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

func (p *page) serveState(w http.ResponseWriter, _ *http.Request) {
	state := p.state()
	state.Total = p.driver.total.Load()
	writeJSON(w, state)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (p *page) state() pageState {
	p.mu.Lock()
	s := pageState{Caption: p.caption, N: p.cluster.settings.N}
	p.mu.Unlock()
	s.R, s.W = p.driver.levels()
	recent := p.driver.recent.get()
	s.Get, s.Put = recent.quantiles()
	running := map[string]*node.Node{}
	for _, n := range p.cluster.Running() {
		running[n.Name()] = n
	}
	circle := p.cluster.Ring()
	if circle == nil {
		return s
	}
	s.Ring = node.FingerprintName(circle)
	for _, request := range recent.some {
		h := distkit.HashString(request.key)
		s.Keys = append(s.Keys, keyDot{float64(h) / math.MaxUint64, circle.AppendOwnersHash(nil, h, s.N), request.write})
	}
	denied := map[string]uint64{}
	for _, m := range p.cluster.Members() {
		state := nodeState{Name: m.ID, Zone: m.Zone, State: "down", Share: circle.Share(m.ID, 1)}
		if n := running[m.ID]; n != nil {
			e := n.Engine().Stats()
			state.State, state.Hints, state.Segments, state.Keys = "up", n.Hints(), e.Segments, n.Tree().Len()
			state.Cached = ratio(e.CacheHits, e.CacheHits+e.DiskReads)
			state.Skipped = ratio(e.Skipped, e.Skipped+e.FalseReads)
			for client, count := range n.Denied() {
				denied[client] += count
			}
		}
		for other := range running {
			state.Away = state.Away || other != m.ID && !p.cluster.network.reaches(m.ID, other)
		}
		s.Cut = s.Cut || state.Away
		s.Nodes = append(s.Nodes, state)
	}
	s.Denied = most(denied, 4)
	s.usage(running)
	s.Ranges = convergence64(circle, s.N, running)
	return s
}

// usage fills in what the first node that runs knows of all nodes' requests.
func (s *pageState) usage(running map[string]*node.Node) {
	for _, n := range running {
		hot, clients, err := n.Usage()
		if err != nil {
			return
		}
		for item := range hot.Items() {
			if len(s.Hot) == 8 {
				break
			}
			s.Hot = append(s.Hot, hotKey(item))
		}
		low, high := clients.Bounds(1)
		s.Clients = [3]uint64{clients.Estimate(), low, high}
		return
	}
}

// most returns the clients that were denied most.
func most(denied map[string]uint64, n int) []hotKey {
	var list []hotKey
	for client, count := range denied {
		list = append(list, hotKey{Key: client, Count: count})
	}
	slices.SortFunc(list, func(a, b hotKey) int { return int(b.Count) - int(a.Count) })
	return list[:min(n, len(list))]
}

// convergence64 says for each of 64 pieces of the ring whether all copies in it
// are equal: '=', or '~' if some differ, or '?' if they are but an owner is away.
// It compares sums of trees, which takes microseconds.
func convergence64(r *ring.Ring, n int, running map[string]*node.Node) string {
	trees := map[string]*merkle.Tree{}
	for name, n := range running {
		trees[name] = n.Tree()
	}
	cells := [64]byte{}
	for i := range cells {
		cells[i] = '='
	}
	var owners []string
	for _, at := range arcs(r) {
		owners = r.AppendOwnersHash(owners[:0], at.End, n)
		cell := &cells[at.End>>58]
		var first *merkle.Summary
		for _, owner := range owners {
			tree := trees[owner]
			if tree == nil {
				if *cell == '=' {
					*cell = '?'
				}
				continue
			}
			sum := tree.Summary(merkle.Range(at))
			if first != nil && sum != *first {
				*cell = '~'
			}
			first = &sum
		}
	}
	return string(cells[:])
}

func ratio(part, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}

// serveRing sends the arcs of the ring: where each ends, as a fraction of the
// circle, and whose it is.
func (p *page) serveRing(w http.ResponseWriter, _ *http.Request) {
	type arc struct {
		End  float64 `json:"end"`
		Node string  `json:"node"`
		Zone string  `json:"zone"`
	}
	list := []arc{}
	if r := p.cluster.Ring(); r != nil {
		for token, node := range r.Tokens() {
			list = append(list, arc{math.Round(float64(token)/math.MaxUint64*1e6) / 1e6, node.ID, node.Zone})
		}
	}
	writeJSON(w, list)
}
