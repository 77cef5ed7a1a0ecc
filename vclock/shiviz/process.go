package shiviz

import (
	"errors"
	"sync"

	"github.com/distkit/distkit/vclock"
)

// Process is one host, or goroutine, or whatever acts one step after the other:
// it owns an id and keeps its vector clock. Its own counter is 1 at the first
// event and grows by one with each. Stamp everything that happens with Local,
// Send or Receive.
//
// It may be used by any number of goroutines at once; their events are then put
// into one order. Make it with NewProcess; the zero Process has an empty clock,
// and may not stamp anything. Every stamp costs one allocation, Receive of news
// two.
type Process struct {
	id    string
	mu    sync.Mutex
	clock vclock.Clock
}

// NewProcess returns the process id, which has not done anything yet. The id
// must not be empty or longer than 1024 bytes, and nobody else may use it; see
// [vclock.NewActor] for ids that survive a restart.
func NewProcess(id string) (*Process, error) {
	if id == "" {
		return nil, errors.New("shiviz: id is empty, want a name")
	}
	if _, err := vclock.Make(vclock.Dot{ID: id, N: 1}); err != nil {
		return nil, err
	}
	return &Process{id: id}, nil
}

// ID returns the id of the process.
func (p *Process) ID() string { return p.id }

// Clock returns the clock of the last event, without a new one.
func (p *Process) Clock() vclock.Clock {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock
}

// Local stamps an event that concerns nobody else.
func (p *Process) Local() vclock.Clock { return p.stamp(vclock.Clock{}) }

// Send stamps the sending of a message. The stamp travels with the message.
func (p *Process) Send() vclock.Clock { return p.stamp(vclock.Clock{}) }

// Receive stamps the arrival of a message with the stamp from. Nobody can know
// of more events of this process than it knows itself: what from claims of
// those is ignored, lest a forged or leftover stamp make it skip numbers.
func (p *Process) Receive(from vclock.Clock) vclock.Clock { return p.stamp(from) }

func (p *Process) stamp(from vclock.Clock) vclock.Clock {
	if p.id == "" {
		panic("shiviz: the zero Process has no id; make one with NewProcess")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if from.Get(p.id) > p.clock.Get(p.id) {
		from = from.Without(p.id)
	}
	p.clock = p.clock.Merge(from).Tick(p.id)
	return p.clock
}
