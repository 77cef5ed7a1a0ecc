package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/distkit/distkit/vclock"
)

// versions is what a node holds of a key: the values that nobody has replaced
// yet, and the context that covers all that were ever written.
type versions = vclock.Siblings[[]byte]

func encodeVersions(v versions) ([]byte, error) {
	return vclock.AppendSiblings(nil, v, func(b, value []byte) ([]byte, error) { return append(b, value...), nil })
}

func decodeVersions(data []byte) (versions, error) {
	return vclock.DecodeSiblings(data, func(b []byte) ([]byte, error) { return bytes.Clone(b), nil })
}

// maxBody bounds every request and answer, values and messages alike.
const maxBody = 1 << 20

// Peers carries messages between nodes.
type Peers interface {
	// Call sends body to the handler at path of the named node and returns its
	// answer.
	Call(ctx context.Context, node, path string, body []byte) ([]byte, error)
	// Forward sends a client's request on to the named node, with that body.
	Forward(r *http.Request, node, from string, body []byte) (*http.Response, error)
}

// httpPeers calls over HTTP/1.1 with kept connections.
type httpPeers struct {
	client  *http.Client
	self    string
	addr    func(node string) string // host:port
	network *network
}

func (p *httpPeers) Call(ctx context.Context, node, path string, body []byte) ([]byte, error) {
	if err := p.network.carry(ctx, p.self, node); err != nil {
		return nil, fmt.Errorf("%s: %w", node, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.addr(node)+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set(headerFrom, p.self)
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := readBody(resp)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = answerOf(node, resp, answer)
	}
	return answer, err
}

// statusError is an answer that says no.
type statusError struct {
	node      string
	code      int
	text      string
	untouched bool // a write left no trace
}

func answerOf(node string, resp *http.Response, body []byte) statusError {
	return statusError{node, resp.StatusCode, strings.TrimSpace(string(body)), resp.Header.Get(headerUntouched) == "1"}
}

func (e statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s: %s", e.node, e.code, http.StatusText(e.code), e.text)
}

func (p *httpPeers) Forward(r *http.Request, node, from string, body []byte) (*http.Response, error) {
	if err := p.network.carry(r.Context(), from, node); err != nil {
		return nil, fmt.Errorf("%s: %w", node, err)
	}
	on := r.Clone(r.Context())
	on.RequestURI = "" // of the incoming request; a client must not set it
	on.URL.Scheme, on.URL.Host = "http", p.addr(node)
	on.Body, on.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	on.Header.Set(headerForwarded, from)
	return p.client.Do(on)
}

// readBody reads and closes the whole body, so that the connection is kept.
func readBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(b) > maxBody {
		err = fmt.Errorf("answer is longer than %d bytes", maxBody)
	}
	return b, err
}

// replicaMessage is the body of /i/put and /i/get: whose copy of which key is
// meant, and for a put what to merge into it.
type replicaMessage struct {
	owner, key string
	value      []byte // encoded versions
}

func (m replicaMessage) encode() []byte {
	b := make([]byte, 0, len(m.owner)+len(m.key)+len(m.value)+2*binary.MaxVarintLen32)
	return append(appendBytes(appendBytes(b, m.owner), m.key), m.value...)
}

var errMessage = errors.New("message is malformed")

func decodeReplicaMessage(b []byte) (replicaMessage, error) {
	owner, rest, ok := cutBytes(b)
	key, value, ok2 := cutBytes(rest)
	if !ok || !ok2 {
		return replicaMessage{}, errMessage
	}
	return replicaMessage{string(owner), string(key), value}, nil
}

// gossipMessage is the body of /i/gossip and its answer: what the receiver
// lacks, and what the sender knows.
type gossipMessage struct{ delta, digest []byte }

func (m gossipMessage) encode() []byte {
	return append(appendBytes(nil, m.delta), m.digest...)
}

func decodeGossipMessage(b []byte) (gossipMessage, error) {
	delta, digest, ok := cutBytes(b)
	if !ok {
		return gossipMessage{}, errMessage
	}
	return gossipMessage{delta, digest}, nil
}

// appendBytes appends b and, before it, its length.
func appendBytes[T string | []byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// cutBytes cuts a length and that many bytes off data.
func cutBytes(data []byte) (b, rest []byte, ok bool) {
	n, m := binary.Uvarint(data)
	if m <= 0 || n > uint64(len(data)-m) {
		return nil, nil, false
	}
	return data[m : m+int(n)], data[m+int(n):], true
}
