package main

// Shows distkit/quorum/pbs and distkit/vclock: what levels promise, in words, and
// what every replica holds of a key.

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/quorum/pbs"
	"github.com/distkit/distkit/vclock"
)

// guarantee says what reads of R and writes of W of N copies promise.
func guarantee(n, r, w int) string {
	var b strings.Builder
	if r+w > n {
		fmt.Fprintf(&b, "R+W > N: a read sees the last completed write, as %d+%d copies of %d must share one. ", r, w, n)
	} else {
		fmt.Fprintf(&b, "R+W <= N: a read may miss the last completed write; right after it, it does so with a chance of %.0f %%. ",
			100*pbs.StaleProbability(n, r, w, 1))
	}
	if 2*w > n {
		b.WriteString("2W > N: of two writes at the same time, the later one meets the earlier. ")
	} else {
		b.WriteString("2W <= N: two writes may both succeed without meeting, and become siblings. ")
	}
	fmt.Fprintf(&b, "Reads go on with %d of the owners down, writes with %d. ", n-r, n-w)
	b.WriteString("Stand-ins count too, unless strict: until they have handed over, a read may miss a write that only they hold. " +
		"It is not linearizable: a read may see a write that is half done, and the next one miss it.")
	return b.String()
}

// serveGuarantee answers for ?n=3&r=2&w=2.
func (p *page) serveGuarantee(w http.ResponseWriter, r *http.Request) {
	level := map[string]int{}
	for _, name := range []string{"n", "r", "w"} {
		k, err := strconv.Atoi(r.FormValue(name))
		if err != nil || k < 1 || k > 9 || name != "n" && k > level["n"] {
			http.Error(w, fmt.Sprintf("%s is %q, want 1 to N, and N at most 9", name, r.FormValue(name)), http.StatusBadRequest)
			return
		}
		level[name] = k
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, guarantee(level["n"], level["r"], level["w"]))
}

// serveLevels sets the levels of the traffic to ?r=2&w=2.
func (p *page) serveLevels(w http.ResponseWriter, r *http.Request) {
	reads, err := strconv.Atoi(r.FormValue("r"))
	writes, err2 := strconv.Atoi(r.FormValue("w"))
	if n := p.cluster.settings.N; err != nil || err2 != nil || reads < 1 || writes < 1 || reads > n || writes > n {
		http.Error(w, fmt.Sprintf("r and w are %q and %q, want 1 to %d", r.FormValue("r"), r.FormValue("w"), n), http.StatusBadRequest)
		return
	}
	p.driver.setLevels(reads, writes)
	w.WriteHeader(http.StatusNoContent)
}

// replicaView is what one node holds of a key.
type replicaView struct {
	Node   string        `json:"node"`
	Role   string        `json:"role"` // "owner" or "stands in"
	State  string        `json:"state"`
	Values []versionView `json:"values"`
}

type versionView struct {
	Version string `json:"version"`
	Text    string `json:"text"`
}

// writeView is one write of a key, for the space-time diagram.
type writeView struct {
	Version string   `json:"version"`
	Actor   string   `json:"actor"`
	Seen    []string `json:"seen"` // the versions that it replaced directly
	Alive   bool     `json:"alive"`
}

const (
	shownText   = 60
	shownWrites = 24
)

// serveKey shows the preference list of a key, what each replica holds, and the
// last writes.
func (p *page) serveKey(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	running := map[string]*node.Node{}
	for _, n := range p.cluster.Running() {
		running[n.Name()] = n
	}
	view := struct {
		Key      string        `json:"key"`
		Hash     string        `json:"hash"`
		Replicas []replicaView `json:"replicas"`
		Context  string        `json:"context"`
		Writes   []writeView   `json:"writes"`
	}{Key: key, Hash: fmt.Sprintf("%016x", distkit.HashString(key)), Replicas: []replicaView{}, Writes: []writeView{}}
	var all node.Versions
	circle := p.cluster.Ring()
	if circle != nil {
		for i, name := range circle.AppendOwnersHash(nil, distkit.HashString(key), circle.Len()) {
			replica := replicaView{Node: name, Role: "owner", State: "down", Values: []versionView{}}
			if i >= p.cluster.settings.N {
				replica.Role = "stands in"
			}
			if n := running[name]; n != nil {
				replica.State = "up"
				v, err := n.Copy(key)
				if err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
					return
				}
				all = all.Merge(v)
				for dot, value := range v.All() {
					replica.Values = append(replica.Values, versionView{node.VersionName(dot), shorten(value)})
				}
			}
			view.Replicas = append(view.Replicas, replica)
		}
	}
	view.Context = all.Context().String()
	view.Writes = p.driver.history.last(key, all, shownWrites)
	writeJSON(w, view)
}

func shorten(value []byte) string {
	text := strings.ToValidUTF8(strings.ReplaceAll(string(value), "\n", ", "), "\uFFFD")
	if utf8.RuneCountInString(text) > shownText {
		text = string([]rune(text)[:shownText]) + "…"
	}
	return text
}

// last returns the last writes of key that were acknowledged, oldest first, each
// with those of the others that it had seen and no other one of them had.
func (h *history) last(key string, now node.Versions, n int) []writeView {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []writeView{}
	k := h.keys[key]
	if k == nil {
		return list
	}
	alive := map[vclock.Dot]bool{}
	for dot := range now.All() {
		alive[dot] = true
	}
	writes := k.writes[max(0, len(k.writes)-n):]
	for _, w := range writes {
		if w.dot.N == 0 {
			continue
		}
		view := writeView{Version: node.VersionName(w.dot), Actor: w.dot.ID, Seen: []string{}, Alive: alive[w.dot]}
		for _, o := range writes {
			direct := o.dot.N > 0 && w.seen.Contains(o.dot)
			for _, between := range writes {
				if direct && between.dot != o.dot && w.seen.Contains(between.dot) && between.seen.Contains(o.dot) {
					direct = false
				}
			}
			if direct {
				view.Seen = append(view.Seen, node.VersionName(o.dot))
			}
		}
		list = append(list, view)
	}
	return list
}
