package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// MaxBody bounds every request and answer, values and messages alike, in bytes.
const MaxBody = 1 << 20

// Peers carries messages between nodes.
type Peers interface {
	// Call sends body to the handler at path of the named node and returns its
	// answer.
	Call(ctx context.Context, node, path string, body []byte) ([]byte, error)
	// Forward sends a client's request on to the named node, with that body. An
	// error that wraps ErrUnsent says that nothing was sent.
	Forward(r *http.Request, node string, body []byte) (*http.Response, error)
}

// ErrUnsent says that a request did not leave: the node that it was for did
// nothing about it.
var ErrUnsent = errors.New("the request did not leave")

// HTTPPeers returns Peers that call over HTTP/1.1 in the name of self. addr
// tells where a node listens, as host:port.
func HTTPPeers(client *http.Client, self string, addr func(node string) string) Peers {
	return &httpPeers{client, self, addr}
}

type httpPeers struct {
	client *http.Client
	self   string
	addr   func(node string) string
}

func (p *httpPeers) Call(ctx context.Context, node, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.addr(node)+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set(HeaderFrom, p.self)
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := ReadBody(resp)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = answerOf(node, resp, answer)
	}
	return answer, err
}

// CopyAt asks owner for its copy of key, which is empty if it has none.
func CopyAt(ctx context.Context, peers Peers, owner, key string) (Versions, error) {
	answer, err := peers.Call(ctx, owner, "/i/get", replicaMessage{owner: owner, key: key}.encode())
	if err != nil {
		return Versions{}, err
	}
	return DecodeVersions(answer)
}

// StatusError is an answer that says no.
type StatusError struct {
	Node      string
	Code      int    // of HTTP
	Text      string // one line
	Untouched bool   // a write left no trace
}

func answerOf(node string, resp *http.Response, body []byte) StatusError {
	return StatusError{node, resp.StatusCode, strings.TrimSpace(string(body)), resp.Header.Get(headerUntouched) == "1"}
}

// Error tells the node, the status and its line.
func (e StatusError) Error() string {
	return fmt.Sprintf("%s answers %d %s: %s", e.Node, e.Code, http.StatusText(e.Code), e.Text)
}

func (p *httpPeers) Forward(r *http.Request, node string, body []byte) (*http.Response, error) {
	on := r.Clone(r.Context())
	on.RequestURI = "" // of the incoming request; a client must not set it
	on.URL.Scheme, on.URL.Host = "http", p.addr(node)
	on.Body, on.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	on.Header.Set(headerForwarded, p.self)
	return p.client.Do(on)
}

// ReadBody reads and closes the whole body, so that the connection is kept. It
// refuses what is longer than MaxBody.
func ReadBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err == nil && len(b) > MaxBody {
		err = fmt.Errorf("answer is longer than %d bytes", MaxBody)
	}
	return b, err
}
