package pbs

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// WARS draws the delays of one replica: the write on its way (W), its
// acknowledgment (A), the read request (R) and the answer (S). All four are
// needed, none may be negative.
type WARS struct {
	W, A, R, S func(rng *rand.Rand) time.Duration
}

// Prediction is what a simulation found.
type Prediction struct {
	visible []time.Duration // from when on a read is fresh, sorted
	read    []time.Duration
	write   []time.Duration
}

// maxTrials keeps a Prediction below half a gigabyte.
const maxTrials = 1 << 24

// Predict simulates so many writes to n replicas that wait for w acks, each
// followed by reads that wait for r answers: 1 ≤ r, w ≤ n ≤ 1024, 1 ≤ trials ≤
// 2^24. O(trials · n log n) time and 24 bytes a trial.
func Predict(n, r, w int, m WARS, trials int, rng *rand.Rand) (*Prediction, error) {
	switch {
	case n < 1 || n > 1024:
		return nil, fmt.Errorf("pbs: n is %d, want 1 to 1024", n)
	case r < 1 || r > n:
		return nil, fmt.Errorf("pbs: r is %d, want 1 to n, %d", r, n)
	case w < 1 || w > n:
		return nil, fmt.Errorf("pbs: w is %d, want 1 to n, %d", w, n)
	case trials < 1 || trials > maxTrials:
		return nil, fmt.Errorf("pbs: trials are %d, want 1 to %d", trials, maxTrials)
	case m.W == nil || m.A == nil || m.R == nil || m.S == nil:
		return nil, errors.New("pbs: WARS lacks W, A, R or S")
	case rng == nil:
		return nil, errors.New("pbs: random source is nil")
	}
	p := &Prediction{
		visible: make([]time.Duration, trials), read: make([]time.Duration, trials), write: make([]time.Duration, trials),
	}
	replicas, acks := make([]replica, n), make([]time.Duration, n)
	for trial := range trials {
		for i := range replicas {
			arrives := m.W(rng)
			acks[i] = arrives + m.A(rng)
			asked := m.R(rng)
			replicas[i] = replica{arrives - asked, asked + m.S(rng)}
		}
		slices.Sort(acks)
		slices.SortFunc(replicas, func(a, b replica) int { return cmp.Compare(a.answers, b.answers) })
		first := replicas[0].since
		for _, x := range replicas[1:r] {
			first = min(first, x.since)
		}
		p.write[trial] = acks[w-1]
		p.read[trial] = replicas[r-1].answers
		p.visible[trial] = max(first-acks[w-1], 0)
	}
	slices.Sort(p.visible)
	slices.Sort(p.read)
	slices.Sort(p.write)
	return p, nil
}

// replica is one in a trial: a read that begins at the time since, or later,
// finds the write there.
type replica struct{ since, answers time.Duration }

// Fresh returns the chance that a read that begins t after a write's last
// needed ack sees the write.
func (p *Prediction) Fresh(t time.Duration) float64 {
	if p == nil || len(p.visible) == 0 || t < 0 {
		return 0
	}
	stale, _ := slices.BinarySearchFunc(p.visible, t, func(v, t time.Duration) int {
		if v <= t {
			return -1
		}
		return 1
	})
	return float64(stale) / float64(len(p.visible))
}

// Visible returns how long after a write's last needed ack reads see it with
// that chance, 0 to 1.
func (p *Prediction) Visible(prob float64) time.Duration {
	if p == nil {
		return 0
	}
	return quantile(p.visible, prob)
}

// ReadLatency returns the q-quantile, 0 to 1, of the time of a read.
func (p *Prediction) ReadLatency(q float64) time.Duration {
	if p == nil {
		return 0
	}
	return quantile(p.read, q)
}

// WriteLatency returns the q-quantile, 0 to 1, of the time of a write.
func (p *Prediction) WriteLatency(q float64) time.Duration {
	if p == nil {
		return 0
	}
	return quantile(p.write, q)
}

// quantile returns the smallest value that so large a part does not exceed; 0
// for a q outside [0, 1].
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 || !(q >= 0 && q <= 1) {
		return 0
	}
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}
