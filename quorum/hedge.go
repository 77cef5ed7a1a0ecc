package quorum

import (
	"fmt"
	"time"
)

// Hedge says when a read asks one replica more because those it waits for are
// slow; see [WithHedge].
type Hedge struct {
	Quantile float64       // of one replica's latency, after which it counts as slow; default 0.95
	Min, Max time.Duration // bounds of that wait; default 0 and none
	Budget   float64       // hedges per read over time; default 0.1
}

// check reports bad fields.
func (h *Hedge) check() error {
	switch {
	case h == nil:
		return nil
	case !(h.Quantile > 0 && h.Quantile < 1):
		return fmt.Errorf("quorum: hedge quantile is %g, want 0 < q < 1", h.Quantile)
	case h.Min < 0 || h.Max < h.Min:
		return fmt.Errorf("quorum: hedge waits %v to %v, want 0 <= min <= max", h.Min, h.Max)
	case !(h.Budget > 0 && h.Budget <= 1):
		return fmt.Errorf("quorum: hedge budget is %g, want 0 < b <= 1", h.Budget)
	}
	return nil
}
