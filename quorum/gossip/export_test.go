package gossip

import "time"

// Detector opens the failure detector to tests.
type Detector struct {
	d detector
	c config
}

func NewDetector(interval time.Duration) *Detector {
	c := defaults()
	c.interval = interval
	return &Detector{c: c}
}

func (d *Detector) Beat(now time.Time)        { d.d.beat(now, &d.c) }
func (d *Detector) Phi(now time.Time) float64 { return d.d.phi(now, &d.c) }
func (d *Detector) Gaps() int                 { return len(d.d.gaps) }

// Timeout opens the suspicion's.
func Timeout(observers, needed, others int, min, max time.Duration) time.Duration {
	c := config{min: min, max: max}
	return c.timeout(observers, needed, others)
}
