package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// health is what a backend is taken for. It changes after so many outcomes in a row
// that say otherwise: one lost packet is no outage, and one answer no recovery.
type health struct {
	up  bool
	run int // of outcomes that contradict up
}

// observe takes an outcome and reports whether it has changed what holds.
func (h *health) observe(ok bool, threshold int) (changed bool) {
	if ok == h.up {
		h.run = 0
		return false
	}
	if h.run++; h.run < threshold {
		return false
	}
	h.up, h.run = ok, 0
	return true
}

// check asks every backend how it is, now and at every interval, until ctx ends.
func (g *gateway) check(ctx context.Context) {
	var group sync.WaitGroup
	for _, b := range g.pool.all {
		group.Go(func() {
			tick := time.NewTicker(g.interval)
			defer tick.Stop()
			for {
				err := g.ask(ctx, b)
				if ctx.Err() != nil {
					return
				}
				g.pool.observe(b, err, g.threshold)
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	group.Wait()
}

// ask returns nil if the backend answers in time, with less than 500: one that does
// not know the path is alive.
func (g *gateway) ask(ctx context.Context, b *backend) error {
	ctx, cancel := context.WithTimeout(ctx, g.interval)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url.JoinPath(g.health).String(), nil)
	if err != nil {
		return err
	}
	answer, err := g.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10) // so that the connection can be used again
	if answer.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%w: %s", errUnwell, answer.Status)
	}
	return nil
}
