package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
)

// flooder is the client that asks as fast as it can.
const flooder = "flooder"

// FloodReport says what became of the flooder's requests.
type FloodReport struct {
	Took            time.Duration
	Allowed, Denied int
	Fair            int    // the most that its rate allows in that time
	Others          uint64 // how often others were told to wait
}

// flood asks one node for a key again and again, until ctx is done.
func (d *driver) flood(ctx context.Context) (report FloodReport, err error) {
	const key = "flooded"
	start := time.Now()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range d.clients {
		wg.Go(func() {
			client := *d.client
			client.Name, client.Route, client.Once = flooder, node.RouteAware, true
			allowed, denied := 0, 0
			var failed error
			for ctx.Err() == nil && failed == nil {
				_, e := client.Get(context.WithoutCancel(ctx), key, vclock.Clock{})
				var answer node.StatusError
				switch {
				case e == nil:
					allowed++
				case errors.As(e, &answer) && answer.Code == http.StatusTooManyRequests:
					denied++
				default:
					failed = e
				}
			}
			mu.Lock()
			defer mu.Unlock()
			report.Allowed += allowed
			report.Denied += denied
			err = errors.Join(err, failed)
		})
	}
	wg.Wait()
	report.Took = time.Since(start)
	report.Fair = int(report.Took.Seconds()/node.ClientLimit.Period.Seconds()*float64(node.ClientLimit.Events)+float64(node.ClientLimit.Burst)) + 1
	return report, err
}
