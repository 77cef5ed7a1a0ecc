package node

// Shows distkit/ratelimit and its httplimit: a bucket for each client in front of
// the API.

import (
	"iter"
	"net/http"
	"sync"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
)

// ClientLimit is what a node grants a client: those that behave stay far below.
var ClientLimit = ratelimit.PerSecond(600).WithBurst(300)

// limits holds every client of a node to its rate. What is beyond it is answered
// with 429 and Retry-After.
type limits struct {
	*httplimit.Middleware

	mu     sync.Mutex
	denied *cms.TopK // clients, which strangers name: no map of them is bounded
}

func newLimits() (*limits, error) {
	keyed, err := ratelimit.NewKeyed(ClientLimit)
	if err != nil {
		return nil, err
	}
	denied, err := cms.NewTopK(16)
	if err != nil {
		return nil, err
	}
	l := &limits{denied: denied}
	l.Middleware, err = httplimit.New(keyed,
		httplimit.WithPolicy("client"),
		httplimit.WithKey(func(r *http.Request) (string, error) { return clientOf(r), nil }),
		httplimit.WithObserver(func(r *http.Request, result ratelimit.Result, _ error) {
			if !result.Allowed {
				l.mu.Lock()
				l.denied.AddString(clientOf(r))
				l.mu.Unlock()
			}
		}))
	return l, err
}

// limited lets a client pass at its rate. What another node forwards has passed
// there.
func (n *Node) limited(h http.HandlerFunc) http.HandlerFunc {
	limited := n.limits.Handler(h)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(headerForwarded) != "" {
			h(w, r)
		} else {
			limited.ServeHTTP(w, r)
		}
	}
}

// deniedMost yields the clients that were told to wait most often.
func (l *limits) deniedMost() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for item := range l.denied.Items() {
			if !yield(item.Key, item.Count) {
				return
			}
		}
	}
}

// deniedTo returns how often a client was told to wait, and all clients.
func (l *limits) deniedTo(client string) (own, all uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.denied.CountString(client), l.denied.Total()
}
