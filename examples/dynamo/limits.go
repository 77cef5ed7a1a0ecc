package main

// Shows distkit/ratelimit: a bucket for each client in front of the API.

import (
	"fmt"
	"iter"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/ratelimit"
)

// clientLimit is what a node grants a client: those that behave stay far below.
var clientLimit = ratelimit.PerSecond(600).WithBurst(300)

// limits holds every client of a node to its rate.
type limits struct {
	keyed *ratelimit.Keyed

	mu     sync.Mutex
	denied *cms.TopK // clients, which strangers name: no map of them is bounded
}

func newLimits() (*limits, error) {
	keyed, err := ratelimit.NewKeyed(clientLimit)
	if err != nil {
		return nil, err
	}
	denied, err := cms.NewTopK(16)
	return &limits{keyed: keyed, denied: denied}, err
}

// limited lets a client pass at its rate, and tells it to wait above that. What
// another node forwards has passed there.
func (n *Node) limited(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(headerForwarded) != "" {
			h(w, r)
			return
		}
		client := clientOf(r)
		result := n.limits.keyed.TakeString(client, 1)
		w.Header().Set("RateLimit", fmt.Sprintf(`"client";r=%d;t=%d`, result.Remaining, seconds(result.ResetAfter)))
		if result.Allowed {
			h(w, r)
			return
		}
		n.limits.mu.Lock()
		n.limits.denied.AddString(client)
		n.limits.mu.Unlock()
		w.Header().Set("Retry-After", strconv.Itoa(seconds(result.RetryAfter)))
		http.Error(w, fmt.Sprintf("client %q asks for more than %v", client, clientLimit), http.StatusTooManyRequests)
	}
}

// seconds rounds up: who comes back a moment too early is sent away again.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

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
