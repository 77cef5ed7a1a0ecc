package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/distkit/distkit/lru"
)

// origin is what is slow and must be spared.
type origin struct{ loads atomic.Int64 }

func (o *origin) load(_ context.Context, key string) (string, error) {
	o.loads.Add(1)
	return content(key), nil
}

func (o *origin) count() int { return int(o.loads.Load()) }

func content(key string) string { return "The text of " + key + "." }

// node is a server with a cache.
type node struct {
	id     string
	cache  *lru.Concurrent[string, string]
	origin *origin
	owner  func(key string) *node // nil: the node itself owns all
	server *http.Server
	url    string
	served int
}

func newNode(id string, o *origin) (*node, error) {
	// LRU in one shard, so that the program says the same in every run.
	cache, err := lru.NewConcurrent[string, string](room, lru.WithPolicy(lru.LRU), lru.WithShards(1))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &node{id: id, cache: cache, origin: o, url: "http://" + listener.Addr().String() + "/"}
	n.server = &http.Server{Handler: n}
	go func() { _ = n.server.Serve(listener) }()
	return n, nil
}

// ServeHTTP answers GET /key.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := n.cache.GetOrLoad(r.Context(), r.URL.Path[1:], n.load)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, text)
}

// load gets a copy from the owner of key. The owner asks the origin, and so does who
// finds the owner dead.
func (n *node) load(ctx context.Context, key string) (string, error) {
	if n.owner != nil {
		if owner := n.owner(key); owner != n {
			if text, err := owner.ask(ctx, key); err == nil {
				return text, nil
			}
		}
	}
	return n.origin.load(ctx, key)
}

// ask is the client's side.
func (n *node) ask(ctx context.Context, key string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url+url.PathEscape(key), nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s says %s: %s", n.id, answer.Status, text)
	}
	return string(text), err
}

// kill closes the server and all its connections, as the end of a process does.
func (n *node) kill() { _ = n.server.Close() }
