package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/ring"
	"github.com/distkit/distkit/vclock"
)

// Client speaks the public API. It goes on to the next node when one does not
// answer. On the route "aware" it asks the owners of a key first: it holds the
// ring, and fetches it anew when an answer names another one. On the route "any"
// it asks whatever node comes, as behind a balancer.
//
// A copy of a Client is another client, which may go by another name and share
// the ring. The methods are safe for concurrent use; the fields are set before.
type Client struct {
	Route Route
	Name  string                 // who the client is
	Query string                 // levels of the requests, such as "w=1"
	Sees  func(node string) bool // which nodes it can reach; nil for all
	Once  bool                   // gives up when every node has refused once

	http *http.Client
	ring *ring.Live
	addr func(node string) string
}

// Route is how a client chooses whom to ask first.
type Route string

// The routes.
const (
	RouteAware Route = "aware" // an owner of the key
	RouteAny   Route = "any"   // a node at random
)

// NewClient returns a client that asks the named node for the ring.
func NewClient(ctx context.Context, c *http.Client, addr func(node string) string, first string, route Route) (*Client, error) {
	client := &Client{http: c, ring: ring.NewLive(new(ring.Ring)), addr: addr, Route: route}
	return client, client.refresh(ctx, first)
}

// refresh fetches the ring.
func (c *Client) refresh(ctx context.Context, node string) error {
	image, err := c.fetch(ctx, node, "/v1/ring", ringType)
	if err != nil {
		return err
	}
	fresh := new(ring.Ring)
	if err := fresh.UnmarshalBinary(image); err != nil {
		return err
	}
	c.ring.CompareAndSwap(c.ring.Load(), fresh)
	return nil
}

// State asks one node what it holds.
func (c *Client) State(ctx context.Context, node string) (s State, err error) {
	body, err := c.fetch(ctx, node, "/v1/state", "application/json")
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	return s, err
}

// fetch asks one node for something that is not a key.
func (c *Client) fetch(ctx context.Context, node, path, mediaType string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.addr(node)+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", mediaType)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := ReadBody(resp)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = answerOf(node, resp, body)
	}
	return body, err
}

// Owners returns the nodes that keep the n copies of key, by the ring that the
// client holds.
func (c *Client) Owners(key string, n int) []string {
	return c.ring.Load().AppendOwnersHash(nil, distkit.HashString(key), n)
}

// nodes returns whom to ask, in that order.
func (c *Client) nodes(key string) []string {
	nodes := c.Owners(key, c.ring.Load().Len())
	if c.Route == RouteAny {
		rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	}
	if c.Sees != nil {
		nodes = slices.DeleteFunc(nodes, func(node string) bool { return !c.Sees(node) })
	}
	return nodes
}

// Answer is what a request gave.
type Answer struct {
	Values  [][]byte // more than one in a conflict; none if the key is absent
	Context vclock.Clock
	Dot     vclock.Dot // of a put
	Retries int        // nodes that did not answer or could not
	Maybe   int        // of those, how many may have carried the write out
}

// Get reads key; an absent one has no values.
func (c *Client) Get(ctx context.Context, key string, seen vclock.Clock) (Answer, error) {
	return c.do(ctx, http.MethodGet, key, seen, nil)
}

// Put writes a value that replaces what seen covers.
func (c *Client) Put(ctx context.Context, key string, seen vclock.Clock, value []byte) (Answer, error) {
	return c.do(ctx, http.MethodPut, key, seen, value)
}

// Delete deletes what seen covers, and reports whether there was anything.
func (c *Client) Delete(ctx context.Context, key string, seen vclock.Clock) (Answer, bool, error) {
	a, err := c.do(ctx, http.MethodDelete, key, seen, nil)
	if errors.Is(err, errAbsent) {
		return a, false, nil
	}
	return a, err == nil, err
}

func (c *Client) do(ctx context.Context, method, key string, seen vclock.Clock, value []byte) (Answer, error) {
	var retries, maybe int
	var last error
	nodes := c.nodes(key)
	tries := nodes
	if !c.Once { // a cluster that is learning of a death refuses for a moment
		tries = slices.Concat(nodes, nodes)
	}
	for _, node := range tries {
		a, done, err := c.try(ctx, method, node, key, seen, value)
		a.Retries, a.Maybe = retries, maybe
		if done {
			return a, err
		}
		last = err
		retries++
		if method != http.MethodGet && !refused(err) {
			maybe++
		}
		if ctx.Err() != nil {
			break
		}
		if retries >= len(nodes) && !c.Once {
			time.Sleep(gossipInterval)
		}
	}
	return Answer{Retries: retries, Maybe: maybe}, fmt.Errorf("%s %q: no node could: %w", method, key, last)
}

// refused says that the node never got the request, or did nothing about it.
func refused(err error) bool {
	var answer StatusError
	if errors.As(err, &answer) {
		return answer.Untouched
	}
	return unsent(err)
}

// unsent says that a request did not leave.
func unsent(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, ErrUnsent)
}

// try asks one node. done is false where another node may do better.
func (c *Client) try(ctx context.Context, method, node, key string, seen vclock.Clock, value []byte) (a Answer, done bool, err error) {
	u := url.URL{Scheme: "http", Host: c.addr(node), Path: "/v1/kv/" + key, RawQuery: c.Query}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(value))
	if err != nil {
		return a, true, err
	}
	// A kept connection may have died with its node. The transport must not send
	// a write twice on its own, for this client counts what may have been done.
	req.GetBody = nil
	if c.Name != "" {
		req.Header.Set(HeaderClient, c.Name)
	}
	if seen != (vclock.Clock{}) {
		token, err := seen.MarshalText()
		if err != nil {
			return a, true, err
		}
		req.Header.Set(headerContext, string(token))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return a, false, err
	}
	body, err := ReadBody(resp)
	if err != nil {
		return a, false, err
	}
	if seen := resp.Header.Get(headerRing); seen != "" && seen != FingerprintName(c.ring.Load()) {
		_ = c.refresh(ctx, node) // else by the next answer: any node takes any request
	}
	if token := resp.Header.Get(headerContext); token != "" {
		if err := a.Context.UnmarshalText([]byte(token)); err != nil {
			return a, true, err
		}
	}
	switch resp.StatusCode {
	case http.StatusOK:
		a.Values, err = values(resp.Header.Get("Content-Type"), body)
		return a, true, err
	case http.StatusNoContent:
		a.Dot, err = parseVersion(resp.Header.Get(headerVersion))
		return a, true, err
	case http.StatusNotFound:
		if method == http.MethodGet {
			return a, true, nil
		}
		return a, true, errAbsent
	}
	err = answerOf(node, resp, body)
	return a, resp.StatusCode < 500, err
}

func values(contentType string, body []byte) ([][]byte, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	if kind != "multipart/mixed" {
		return [][]byte{body}, nil
	}
	var list [][]byte
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
}

func parseVersion(s string) (vclock.Dot, error) {
	if s == "" { // a delete has none
		return vclock.Dot{}, nil
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return vclock.Dot{}, fmt.Errorf("%s is %q, want actor:number", headerVersion, s)
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 64)
	return vclock.Dot{ID: s[:i], N: n}, err
}
