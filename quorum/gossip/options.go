package gossip

import (
	"fmt"
	"math"
	"time"
)

// Option configures what [New] returns.
type Option func(*config)

type config struct {
	interval  time.Duration
	threshold float64
	min, max  time.Duration // of a suspicion
	timed     bool          // they are set; else they follow the interval
	observers int
	maxNodes  int
}

const (
	maxName     = 255
	maxZone     = 255
	maxInterval = 24 * time.Hour
)

func defaults() config {
	c := config{interval: time.Second, threshold: 8, observers: 2, maxNodes: 4096}
	c.followInterval()
	return c
}

// followInterval derives how long a suspicion lasts, unless WithSuspicion said it.
func (c *config) followInterval() {
	if !c.timed {
		c.min, c.max = 2*c.interval, 10*c.interval
	}
}

// WithInterval sets how often the caller ticks and talks, 1 ms to a day: the
// least time between two heartbeats that the detector believes in. Default 1 s.
func WithInterval(d time.Duration) Option { return func(c *config) { c.interval = d } }

// WithPhi sets from which φ on a silent node is suspected, > 0. At φ the chance
// that it is alive and only late is 10^-φ, if gaps are exponential. With the
// default, 8, that is a silence of 18.4 mean gaps; 2 is one of 4.6.
func WithPhi(threshold float64) Option { return func(c *config) { c.threshold = threshold } }

// WithSuspicion sets how long a suspicion that enough observers share lasts
// before the node is called down, 0 ≤ min ≤ max: max when just as many agree as
// [WithObservers] demands, min when two more do, or all there are. Default two
// and ten intervals.
func WithSuspicion(min, max time.Duration) Option {
	return func(c *config) { c.min, c.max, c.timed = min, max, true }
}

// WithObservers sets how many members must suspect a node before it is called
// down, 1 to 16. Default 2, so that a single one that lies, or is cut off
// itself, takes nobody down. Where fewer can observe, because the cluster is
// small or the other members are down, all of them must: of two nodes, each
// calls the other down by itself, also if only the link between them is cut.
func WithObservers(k int) Option { return func(c *config) { c.observers = k } }

// WithMaxNodes bounds the nodes that the table knows, 1 to 65536; others are
// refused. Default 4096.
func WithMaxNodes(n int) Option { return func(c *config) { c.maxNodes = n } }

func (c *config) check() error {
	switch {
	case c.interval < time.Millisecond || c.interval > maxInterval:
		return fmt.Errorf("gossip: interval is %v, want 1ms to %v", c.interval, maxInterval)
	case !(c.threshold > 0) || math.IsInf(c.threshold, 1):
		return fmt.Errorf("gossip: phi threshold is %g, want > 0", c.threshold)
	case c.min < 0 || c.max < c.min:
		return fmt.Errorf("gossip: suspicion is %v to %v, want 0 <= min <= max", c.min, c.max)
	case c.observers < 1 || c.observers > 16:
		return fmt.Errorf("gossip: observers are %d, want 1 to 16", c.observers)
	case c.maxNodes < 1 || c.maxNodes > 1<<16:
		return fmt.Errorf("gossip: nodes are at most %d, want 1 to %d", c.maxNodes, 1<<16)
	}
	c.followInterval()
	return nil
}
