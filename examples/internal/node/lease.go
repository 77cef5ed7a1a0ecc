package node

import (
	"sync"
	"time"
)

// lease lets a node compare its copies with one other at a time, whoever of the
// two began, so that no copy is sent twice. It is another's while messages of that
// come; who falls silent loses it.
type lease struct {
	mu     sync.Mutex
	holder string
	until  time.Time
}

// leaseTime is how long a lease outlives the last message.
const leaseTime = 500 * time.Millisecond

// take gives the lease to name, or renews it; false says that another has it.
func (l *lease) take(name string, d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.holder != "" && l.holder != name && now.Before(l.until) {
		return false
	}
	l.holder, l.until = name, now.Add(d)
	return true
}

// end gives the lease back, if name has it.
func (l *lease) end(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder == name {
		l.holder = ""
	}
}
