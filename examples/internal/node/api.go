package node

// The HTTP face of a node: the public API under /v1, messages between nodes
// under /i.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/ring"
	"github.com/distkit/distkit/vclock"
)

// Headers that say who asks.
const (
	HeaderFrom   = "X-From"   // the node that sends a message
	HeaderClient = "X-Client" // the client; a real service takes whom it authenticated
)

const (
	headerContext   = "X-Context"   // what the client has seen, as a token
	headerVersion   = "X-Version"   // the dot of a write: actor and number
	headerForwarded = "X-Forwarded" // by the node that was asked first
	headerRing      = "X-Ring"      // fingerprint of the ring that the node uses
	headerUntouched = "X-Untouched" // "1" where a write failed and changed nothing
)

func (n *Node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/kv/{key...}", n.limited(n.handle(n.counted(n.serveGet))))
	mux.HandleFunc("PUT /v1/kv/{key...}", n.limited(n.handle(n.counted(n.servePut))))
	mux.HandleFunc("DELETE /v1/kv/{key...}", n.limited(n.handle(n.counted(n.serveDelete))))
	mux.HandleFunc("GET /v1/ring", n.handle(n.serveRing))
	mux.HandleFunc("GET /v1/hot", n.handle(n.serveHot))
	mux.HandleFunc("GET /v1/uniques", n.handle(n.serveUniques))
	mux.HandleFunc("GET /v1/state", n.handle(n.serveState))
	mux.HandleFunc("POST /i/usage", n.handle(n.serveUsage))
	mux.HandleFunc("POST /i/put", n.handle(n.servePutCopy))
	mux.HandleFunc("POST /i/get", n.handle(n.serveGetCopy))
	if g, ok := n.members.(exchanger); ok {
		mux.HandleFunc("POST /i/gossip", n.handle(serveGossip(g)))
	}
	mux.HandleFunc("POST /i/agree", n.handle(n.serveAgree))
	mux.HandleFunc("POST /i/forget", n.handle(n.serveForget))
	mux.HandleFunc("POST /i/move", n.handle(n.serveMove))
	mux.HandleFunc("POST /i/fetch", n.handle(n.serveFetch))
	mux.HandleFunc("POST /i/merkle", n.handle(n.serveMerkle))
	mux.HandleFunc("POST /i/done", n.handle(n.serveDone))
	mux.HandleFunc("POST /i/rows", n.handle(n.serveRows))
	mux.HandleFunc("POST /i/push", n.handle(n.servePush))
	return mux
}

// badRequest marks errors that the client can mend.
type badRequest struct{ error }

// handle bounds the body and turns an error into a status and one line.
func (n *Node) handle(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		err := serve(w, r)
		if err == nil {
			return
		}
		status := http.StatusInternalServerError
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, new(badRequest)), errors.Is(err, vclock.ErrCorrupt), errors.Is(err, errMessage):
			status = http.StatusBadRequest
		case errors.As(err, &tooLarge):
			status = http.StatusRequestEntityTooLarge
		case errors.Is(err, errAbsent):
			status = http.StatusNotFound
		case errors.Is(err, errBusy):
			w.Header().Set("Retry-After", "1")
			status = http.StatusConflict
		case errors.Is(err, quorum.ErrNoQuorum), errors.Is(err, quorum.ErrUnavailable), errors.Is(err, quorum.ErrClosed):
			w.Header().Set("Retry-After", "1")
			if untouched(err) {
				w.Header().Set(headerUntouched, "1")
			}
			status = http.StatusServiceUnavailable
		}
		http.Error(w, err.Error(), status)
	}
}

// coordinator returns the node's coordinator, or a view of it with the levels
// that the query asks for: r, w, and strict=1, which counts owners only.
func (n *Node) coordinator(r *http.Request) (*quorum.Coordinator, error) {
	if r.URL.RawQuery == "" {
		return n.quorum, nil
	}
	q := r.URL.Query()
	level := func(name string, usual int) (int, error) {
		if !q.Has(name) {
			return usual, nil
		}
		k, err := strconv.Atoi(q.Get(name))
		if err != nil || k < 1 || k > n.N {
			return 0, badRequest{fmt.Errorf("%s is %q, want 1 to %d", name, q.Get(name), n.N)}
		}
		return k, nil
	}
	reads, err := level("r", n.R)
	if err != nil {
		return nil, err
	}
	writes, err := level("w", n.W)
	if err != nil {
		return nil, err
	}
	opts := []quorum.Option{quorum.WithReadLevel(quorum.Count(reads)), quorum.WithWriteLevel(quorum.Count(writes))}
	switch strict := q.Get("strict"); {
	case strict == "1":
		opts = append(opts, quorum.WithPrimaries(reads, writes))
	case strict != "" && strict != "0":
		return nil, badRequest{fmt.Errorf("strict is %q, want 0 or 1", strict)}
	case n.Strict:
		opts = append(opts, quorum.WithPrimaries(reads, writes))
	}
	return n.quorum.With(opts...)
}

func seenBy(r *http.Request) (c vclock.Clock, err error) {
	if token := r.Header.Get(headerContext); token != "" {
		if err = c.UnmarshalText([]byte(token)); err != nil {
			err = badRequest{fmt.Errorf("%s is %q: %w", headerContext, token, err)}
		}
	}
	return c, err
}

// untouched reports that a write failed and left no trace: the coordinator, or
// the node that looked for one, sent nothing.
func untouched(err error) bool {
	return errors.Is(err, errNoOwner) || errors.As(err, new(*quorum.Error)) && errors.Is(err, quorum.ErrUnavailable)
}

func (n *Node) serveGet(w http.ResponseWriter, r *http.Request) error {
	c, err := n.coordinator(r)
	if err != nil {
		return err
	}
	seen, err := seenBy(r)
	if err != nil {
		return err
	}
	key := r.PathValue("key")
	v, seen, err := n.readAfter(r.Context(), c, key, seen)
	if err != nil {
		return err
	}
	if err := setContext(w, seen); err != nil {
		return err
	}
	if v.Len() == 0 {
		return fmt.Errorf("%w: %q", errAbsent, key)
	}
	return writeValues(w, v)
}

// setContext tells the client what it has seen now.
func setContext(w http.ResponseWriter, c vclock.Clock) error {
	if c == (vclock.Clock{}) {
		return nil
	}
	token, err := c.MarshalText()
	if err == nil {
		w.Header().Set(headerContext, string(token))
	}
	return err
}

// writeValues answers with the value or, in a conflict, with all of them, as
// parts of one multipart body.
func writeValues(w http.ResponseWriter, v Versions) error {
	if v.Len() == 1 {
		for value := range v.Values() {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Write(value)
		}
		return nil
	}
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for dot, value := range v.All() {
		part, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type": {"application/octet-stream"},
			headerVersion:  {VersionName(dot)},
		})
		if err == nil {
			_, err = part.Write(value)
		}
		if err != nil {
			return err
		}
	}
	if err := parts.Close(); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+parts.Boundary())
	w.Write(body.Bytes())
	return nil
}

// VersionName names the version that a write made: actor:number.
func VersionName(d vclock.Dot) string { return d.ID + ":" + strconv.FormatUint(d.N, 10) }

func (n *Node) servePut(w http.ResponseWriter, r *http.Request) error {
	c, err := n.coordinator(r)
	if err != nil {
		return err
	}
	seen, err := seenBy(r)
	if err != nil {
		return err
	}
	value, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	v, dot, err := n.write(r.Context(), c, r.PathValue("key"), seen, value)
	if errors.Is(err, errNotOwner) {
		return n.forward(w, r, value)
	}
	if err != nil {
		return err
	}
	w.Header().Set(headerVersion, VersionName(dot))
	if v.Len() == 1 { // else the context would cover siblings that the client has not seen
		if err := setContext(w, v.Context()); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (n *Node) serveDelete(w http.ResponseWriter, r *http.Request) error {
	c, err := n.coordinator(r)
	if err != nil {
		return err
	}
	seen, err := seenBy(r)
	if err != nil {
		return err
	}
	key := r.PathValue("key")
	err = n.remove(r.Context(), c, key, seen)
	switch {
	case errors.Is(err, errNotOwner):
		return n.forward(w, r, nil)
	case errors.Is(err, errAbsent):
		return fmt.Errorf("%w: %q", err, key)
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// forward sends a write to the first owner that takes it. It goes one step: an
// owner's view of the ring decides.
func (n *Node) forward(w http.ResponseWriter, r *http.Request, body []byte) error {
	if r.Header.Get(headerForwarded) != "" {
		return fmt.Errorf("%w: %w", quorum.ErrUnavailable, errNotOwner)
	}
	prefs := n.prefs(r.PathValue("key"))
	for _, owner := range prefs[:min(n.N, len(prefs))] {
		if !n.members.Up(owner) {
			continue
		}
		resp, err := n.peers.Forward(r, owner, body)
		if unsent(err) {
			continue
		}
		if err != nil {
			return err // it may have been done: the client must decide
		}
		answer, err := ReadBody(resp)
		if err != nil {
			return err
		}
		for _, name := range []string{headerContext, headerVersion, headerUntouched, "Content-Type", "Retry-After"} {
			if v := resp.Header.Get(name); v != "" {
				w.Header().Set(name, v)
			}
		}
		w.WriteHeader(resp.StatusCode)
		w.Write(answer)
		return nil
	}
	return fmt.Errorf("%w: %q", errNoOwner, r.PathValue("key"))
}

// ringType is the media type of an encoded ring.
const ringType = "application/octet-stream"

// FingerprintName is the fingerprint of a ring as nodes and clients tell it.
func FingerprintName(r *ring.Ring) string { return fmt.Sprintf("%016x", r.Fingerprint()) }

// serveRing tells the ring: in words or, to who accepts that, as an image.
func (n *Node) serveRing(w http.ResponseWriter, req *http.Request) error {
	r := n.members.Ring()
	if req.Header.Get("Accept") == ringType {
		image, err := r.MarshalBinary()
		if err == nil {
			w.Header().Set("Content-Type", ringType)
			w.Write(image)
		}
		return err
	}
	type member struct {
		Node  string  `json:"node"`
		Zone  string  `json:"zone"`
		Share float64 `json:"share"`
		State string  `json:"state"`
	}
	out := struct {
		Fingerprint string   `json:"fingerprint"`
		Nodes       []member `json:"nodes"`
	}{Fingerprint: FingerprintName(r)}
	for i := range r.Len() {
		node := r.Node(i)
		out.Nodes = append(out.Nodes, member{node.ID, node.Zone, r.Share(node.ID, 1), n.members.State(node.ID)})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(out)
}
