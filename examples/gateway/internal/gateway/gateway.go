// Package gateway is the reverse proxy of examples/gateway: rules decide which
// requests pass (packages ratelimit and httplimit), backends are checked, and one of
// those that are alive gets the request (package ring, where placement must last).
//
// It is a package, and not the program, because there are two programs:
// examples/gateway needs nothing but distkit, examples/gateway/redis adds a client for
// Redis, which the root module must not require.
//
//	gateway.go   the program: what the flags start
//	flags.go     the flags
//	rule.go      the file of rules
//	key.go       what requests are counted by
//	limits.go    rules in force, and what survives when they change
//	router.go    which rules a request has
//	watch.go     reading the file again
//	backend.go   backends, and which are alive
//	health.go    asking them
//	balance.go   who gets the next request: in turns, or who has least to do
//	place.go     the same by a hash: of the client or of the path
//	proxy.go     passing on, and another try
//	problem.go   what clients are told when that fails
//	serve.go     from the first request to the last
//	demo.go      backends and clients of its own
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Program is what the two programs differ in.
type Program struct {
	// Redis returns a Store that counts in the Redis at an address, and how to let go
	// of it. While Redis does not answer, the store decides by limits of this process,
	// at a share of the rules', or, if share is 0, says so. It is nil in the program
	// that has no client.
	Redis func(address string, share float64, logger *log.Logger) (Store, io.Closer, error)
}

// Run is the program: it serves until ctx ends, or, without any flag, shows on out
// what a gateway does and returns.
func (p Program) Run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	if err := o.parse(args, out); err != nil {
		return err
	}
	if len(o.backends) == 0 {
		return demo(ctx, out)
	}
	store, logger := Local, log.New(out, "gateway: ", 0)
	if o.redis != "" {
		if p.Redis == nil {
			return errors.New("-redis needs a client for Redis, which this program does not have: go run ./examples/gateway/redis")
		}
		remote, closer, err := p.Redis(o.redis, o.fallback, logger)
		if err != nil {
			return err
		}
		defer closer.Close()
		store = remote
	}
	rules, err := readRules(o.rules)
	if err != nil {
		return err
	}
	g, err := o.gateway(store, logger, o.transport(), rules)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	return g.serve(ctx, l)
}

// gateway is all that runs.
type gateway struct {
	options
	log    *log.Logger
	pool   *pool
	limits *limits
	text   []byte       // of the rules at the start
	client *http.Client // asks backends how they are
}

// gateway builds what the flags say, with rules of this text.
func (o options) gateway(store Store, logger *log.Logger, transport http.RoundTripper, rules []byte) (*gateway, error) {
	trust, err := parseTrust(o.trust)
	if err != nil {
		return nil, err
	}
	backends, err := parseBackends(o.backends)
	if err != nil {
		return nil, err
	}
	balance, err := newBalancer(o.balance, trust)
	if err != nil {
		return nil, err
	}
	p := newPool(backends, balance, o.threshold, logger)
	l := newLimits(store, trust, newProxy(p, trust, transport, logger))
	if err := l.load(rules); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return &gateway{options: o, log: logger, pool: p, limits: l, text: rules, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it is alive
	}}, nil
}

// dialTimeout is after what time a backend that does not answer at all is given up.
const dialTimeout = 2 * time.Second

func (o options) transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: o.timeout,
		MaxIdleConnsPerHost: 100, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
	}
}
