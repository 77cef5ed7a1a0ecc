// Command redis is the gateway of examples/gateway, whose limits can be in Redis too:
// any number of gateways hold a client to one limit. It is a module of its own, because
// the root module does not require a client for Redis.
//
//	go run ./examples/gateway/redis -redis localhost:6379 -backend http://localhost:9001
//
// The address is host:port, several of them with commas between for a cluster, or a URL
// as in redis://user:password@host:6379/0. While Redis does not answer, requests that
// are limited get 503; with -fallback 0.25, each of four gateways holds its clients to
// a quarter; a rule with "open": true lets them pass.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/distkit/distkit/examples/gateway/internal/gateway"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/redis/go-redis/v9"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("gateway:", err)
	}
}

func run(args []string, _ io.Reader, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return gateway.Program{Redis: connect}.Run(ctx, args, out)
}

// connect returns a store whose rules count in Redis, each under its name: gateways
// with the same rules have the same keys.
func connect(address string, share float64, logger *log.Logger) (gateway.Store, io.Closer, error) {
	o, err := parse(address)
	if err != nil {
		return nil, nil, err
	}
	client := redis.NewUniversalClient(o)
	store := func(rule string, limits []ratelimit.Limit) (ratelimit.Decider, error) {
		opts := []redislimit.Option{redislimit.WithPrefix("gateway:" + rule + ":")}
		if share > 0 {
			opts = append(opts, redislimit.WithFallback(share), redislimit.WithErrorHandler(report(rule, logger)))
		}
		return redislimit.NewMulti(client, limits, opts...)
	}
	return store, client, nil
}

func parse(address string) (*redis.UniversalOptions, error) {
	o := &redis.UniversalOptions{Addrs: strings.Split(address, ",")}
	if strings.Contains(address, "://") {
		parsed, err := redis.ParseURL(address)
		if err != nil {
			return nil, fmt.Errorf("-redis: %w", err)
		}
		o.Addrs, o.DB, o.TLSConfig = []string{parsed.Addr}, parsed.DB, parsed.TLSConfig
		o.Username, o.Password = parsed.Username, parsed.Password
	}
	o.ContextTimeoutEnabled = true // the goroutine that asks makes the trip itself
	// What was sent again might be charged again, and who waits for a dead Redis holds
	// a request: what becomes of that is the rule's business.
	o.MaxRetries, o.DialerRetries = -1, 1
	return o, nil
}

// report logs why a rule is decided here, every ten seconds at most.
func report(rule string, logger *log.Logger) func(error) {
	often, err := ratelimit.New(ratelimit.Every(10 * time.Second))
	if err != nil {
		panic(err) // the limit is sound
	}
	return func(err error) {
		if often.Allow() {
			logger.Printf("rule %q is decided here, by its share: %v", rule, err)
		}
	}
}
