package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// headerTimeout bounds how long a client takes for its headers, so that many who
// dawdle do not hold all connections.
const headerTimeout = 10 * time.Second

// serve serves at l until ctx ends. Then it takes no more connections, and requests
// under way have the grace time to end; what streams on is cut.
func (g *gateway) serve(ctx context.Context, l net.Listener) error {
	g.log.Printf("at http://%s, %d backends, %s, %d rules", l.Addr(), len(g.pool.all), g.balance, g.limits.count())
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { g.check(background) })
	group.Go(func() { g.watch(background) })

	// Requests do not end with ctx, but with base: upgraded ones too, which the
	// server has handed over and does not wait for.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{
		Handler: g.limits, ReadHeaderTimeout: headerTimeout, ErrorLog: g.log,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	g.log.Printf("stops: requests under way have %v", g.grace)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.grace)
	defer cancel()
	if err := server.Shutdown(deadline); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	cut()
	return server.Close()
}
