package gateway

import (
	"errors"
	"fmt"
	"log"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// backend is a server that requests are passed on to.
type backend struct {
	url    *url.URL
	name   string // its URL, for the log and for placement
	weight int

	health  // under the pool's lock
	busy    atomic.Int64
	current int // of the weighted balancer
}

func parseBackends(flags []string) ([]*backend, error) {
	var all []*backend
	seen := map[string]bool{}
	for _, s := range flags {
		b, err := parseBackend(s)
		if err != nil {
			return nil, err
		}
		if seen[b.name] {
			return nil, fmt.Errorf("-backend %s is there twice", b.name)
		}
		seen[b.name] = true
		all = append(all, b)
	}
	return all, nil
}

// parseBackend takes a URL, and perhaps a weight: http://10.0.0.7:8080,weight=3.
func parseBackend(s string) (*backend, error) {
	text, option, weighted := strings.Cut(s, ",")
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("-backend: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("-backend is %q, want a URL as in http://10.0.0.7:8080", text)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("-backend is %q, want a URL without user, query and fragment", text)
	}
	b := &backend{url: u, name: u.String(), weight: 1}
	if weighted {
		number, ok := strings.CutPrefix(option, "weight=")
		b.weight, err = strconv.Atoi(number)
		if !ok || err != nil || b.weight < 1 || b.weight > 1000 {
			return nil, fmt.Errorf("-backend %s: %q, want weight= and a number of 1 to 1000", b.name, option)
		}
	}
	return b, nil
}

// pool is all backends, and tells its balancer which of them are alive.
type pool struct {
	all       []*backend
	balance   balancer
	threshold int
	log       *log.Logger

	mu sync.Mutex // of every health, and for calls of balance.alive
}

// newPool takes all backends for alive: a gateway that starts must not refuse the
// requests that come before the first checks.
func newPool(all []*backend, balance balancer, threshold int, logger *log.Logger) *pool {
	p := &pool{all: all, balance: balance, threshold: threshold, log: logger}
	for _, b := range all {
		b.up = true
	}
	balance.alive(all)
	return p
}

var errUnwell = errors.New("answers that it is not well")

// observe takes note of a check: err is nil if the backend did what it should. At the
// threshold, which is 1 for who refuses connections, it changes who is alive.
func (p *pool) observe(b *backend, err error, threshold int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !b.observe(err == nil, threshold) {
		return
	}
	var alive []*backend
	for _, b := range p.all {
		if b.up {
			alive = append(alive, b)
		}
	}
	p.balance.alive(alive)
	if b.up {
		p.log.Printf("%s is up, %d of %d are", b.name, len(alive), len(p.all))
	} else {
		p.log.Printf("%s is down, %d of %d are up: %v", b.name, len(alive), len(p.all), err)
	}
}
