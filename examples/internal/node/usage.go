package node

// Shows distkit/cms and distkit/hll: every node counts its own requests in a few
// kilobytes, the images travel, and the sums are the same on every node.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/hll"
)

const (
	hotKeys          = 64
	hotCounters      = 512
	clientsPrecision = 12 // 4,096 registers: 1.6 %
	maxImages        = 64 // of as many lives of nodes
)

// usage counts what clients ask a node for, and knows what others counted.
type usage struct {
	id string // of this life of the node: what it counts begins anew with each

	mu      sync.Mutex
	hot     *cms.TopK
	clients *hll.Sketch
	others  map[string]*count
}

// count is what one life of one node has counted.
type count struct {
	total   uint64 // of requests: the larger, the newer
	image   []byte
	hot     *cms.TopK
	clients *hll.Sketch
}

func newUsage(id string) (*usage, error) {
	hot, clients, err := newCounters()
	if err != nil {
		return nil, err
	}
	return &usage{id: id, hot: hot, clients: clients, others: map[string]*count{}}, nil
}

func newCounters() (hot *cms.TopK, clients *hll.Sketch, err error) {
	if hot, err = cms.NewTopK(hotKeys, cms.WithCounters(hotCounters)); err != nil {
		return nil, nil, err
	}
	clients, err = hll.New(clientsPrecision)
	return hot, clients, err
}

// add counts a request.
func (u *usage) add(key, client string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hot.AddString(key)
	u.clients.AddString(client)
}

// all returns the sum of what is known of all nodes.
func (u *usage) all() (*cms.TopK, *hll.Sketch, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	hot, clients := u.hot.Clone(), u.clients.Clone()
	for _, id := range slices.Sorted(maps.Keys(u.others)) {
		if err := errors.Join(hot.Merge(u.others[id].hot), clients.Merge(u.others[id].clients)); err != nil {
			return nil, nil, fmt.Errorf("counts of %s: %w", id, err)
		}
	}
	return hot, clients, nil
}

// images appends what this node knows, its own counts first.
func (u *usage) images() ([]byte, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	hot, err := u.hot.MarshalBinary()
	if err != nil {
		return nil, err
	}
	image, err := u.clients.AppendBinary(appendBytes(nil, hot))
	if err != nil {
		return nil, err
	}
	b := appendBytes(appendBytes(nil, u.id), image)
	for id, c := range u.others {
		b = appendBytes(appendBytes(b, id), c.image)
	}
	return b, nil
}

// learn takes in what another node knows.
func (u *usage) learn(images []byte) error {
	for len(images) > 0 {
		id, rest, ok := cutBytes(images)
		image, rest, ok2 := cutBytes(rest)
		if !ok || !ok2 {
			return errMessage
		}
		images = rest
		c, err := decodeCount(image)
		if err != nil {
			return fmt.Errorf("counts of %q: %w", id, err)
		}
		u.mu.Lock()
		old := u.others[string(id)]
		if string(id) != u.id && (old != nil && c.total > old.total || old == nil && len(u.others) < maxImages) {
			u.others[string(id)] = c
		}
		u.mu.Unlock()
	}
	return nil
}

// decodeCount decodes an image and refuses one that could not be merged.
func decodeCount(image []byte) (*count, error) {
	hot, clients, ok := cutBytes(image)
	if !ok {
		return nil, errMessage
	}
	c := &count{image: slices.Clone(image), hot: new(cms.TopK), clients: new(hll.Sketch)}
	if err := errors.Join(c.hot.UnmarshalBinary(hot), c.clients.UnmarshalBinary(clients)); err != nil {
		return nil, err
	}
	ours, theirs, err := newCounters()
	if err != nil {
		return nil, err
	}
	c.total = c.hot.Total()
	return c, errors.Join(ours.Merge(c.hot), theirs.Merge(c.clients))
}

// askUsage lets this node know what another one knows.
func (n *Node) askUsage(ctx context.Context, peer string) error {
	images, err := n.peers.Call(ctx, peer, "/i/usage", nil)
	if err != nil {
		return err
	}
	return n.usage.learn(images)
}

func (n *Node) serveUsage(w http.ResponseWriter, _ *http.Request) error {
	images, err := n.usage.images()
	if err == nil {
		w.Write(images)
	}
	return err
}

// serveHot answers with the keys that were asked for most: the truth of each
// lies in [count-error, count].
func (n *Node) serveHot(w http.ResponseWriter, r *http.Request) error {
	limit := 10
	if q := r.FormValue("n"); q != "" {
		var err error
		if limit, err = strconv.Atoi(q); err != nil || limit < 1 || limit > hotKeys {
			return badRequest{fmt.Errorf("n is %q, want 1 to %d", q, hotKeys)}
		}
	}
	hot, _, err := n.usage.all()
	if err != nil {
		return err
	}
	type item struct {
		Key   string `json:"key"`
		Count uint64 `json:"count"`
		Error uint64 `json:"error"`
	}
	items := []item{}
	for i := range hot.Items() {
		if len(items) == limit {
			break
		}
		items = append(items, item(i))
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(items)
}

// serveUniques answers with how many different clients have asked, give or take
// one standard error.
func (n *Node) serveUniques(w http.ResponseWriter, _ *http.Request) error {
	_, clients, err := n.usage.all()
	if err != nil {
		return err
	}
	low, high := clients.Bounds(1)
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]uint64{"estimate": clients.Estimate(), "low": low, "high": high})
}

// counted counts the requests that clients send to this node and that succeed;
// what another node forwards has been counted there.
func (n *Node) counted(serve func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set(headerRing, FingerprintName(n.members.Ring()))
		err := serve(w, r)
		if (err == nil || errors.Is(err, errAbsent)) && r.Header.Get(headerForwarded) == "" {
			n.usage.add(r.PathValue("key"), clientOf(r))
		}
		return err
	}
}

// clientOf names the client: as it calls itself, else by its address.
func clientOf(r *http.Request) string {
	if name := r.Header.Get(HeaderClient); name != "" {
		return name
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// usageInterval is how often a node asks another one what was counted.
const usageInterval = 250 * time.Millisecond

func (n *Node) usageLoop(ctx context.Context) {
	rng := n.platform.Rand(n.name + " usage")
	tick := time.NewTicker(usageInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if others := n.upOthers(); len(others) > 0 {
			_ = n.askUsage(ctx, others[rng.IntN(len(others))]) // who does not answer is asked again
		}
	}
}
