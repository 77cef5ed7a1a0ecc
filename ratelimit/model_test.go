package ratelimit_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// slot is the protocol of a slot of a Keyed's table, small enough to try every
// schedule: a decision on key A, a cancellation of A's reservation, and key B that
// takes the slot over at an instant at which A owes nothing.
type slot struct {
	key      byte
	word     int
	locked   bool
	refunded int

	decide struct{ pc, v int }
	cancel struct{ pc, v int }
	take   struct{ pc, v int }
	passed bool // the decision: it has charged what it takes for A's word
}

const (
	modelFrozen = 1 << 20
	at          = 2 // the virtual time at which B comes
	done        = 99
)

// stepDecide is the lock-free way of Keyed.allow, at virtual time 0 with burst 4.
func (s *slot) stepDecide() {
	d := &s.decide
	switch d.pc {
	case 0: // find
		d.pc = 1
		if s.key != 'A' {
			d.pc = done
		}
	case 1:
		d.v, d.pc = s.word, 2
	case 2:
		d.pc = 3
		if d.v == modelFrozen || s.key != 'A' || d.v+1 > 4 {
			d.pc = done
		}
	case 3:
		d.pc = 1
		if s.word == d.v {
			s.word, s.passed, d.pc = d.v+1, true, done
		}
	}
}

// stepCancel gives back two, under the lock of the group.
func (s *slot) stepCancel() {
	c := &s.cancel
	switch c.pc {
	case 0:
		if !s.locked {
			s.locked, c.pc = true, 1
		}
	case 1:
		c.v, c.pc = s.word, 2
		if s.key != 'A' {
			c.pc = 4
		}
	case 2:
		s.refunded, c.pc = max(s.refunded, c.v), 3
	case 3:
		c.pc = 1
		if s.word == c.v {
			s.word, c.pc = c.v-2, 4
		}
	case 4:
		s.locked, c.pc = false, done
	}
}

// stepTake puts B into the slot, under the lock; careful is what the table does.
func (s *slot) stepTake(careful bool) {
	t := &s.take
	switch t.pc {
	case 0:
		if !s.locked {
			s.locked, t.pc = true, 1
		}
	case 1:
		t.v, t.pc = s.word, 2
		if t.v >= at || careful && s.refunded >= at {
			t.pc = 5
		}
	case 2:
		t.pc = 1
		if s.word == t.v {
			s.word, t.pc = modelFrozen, 3
		}
	case 3:
		s.key, t.pc = 'B', 4
	case 4:
		s.word, t.pc = at+1, 5
	case 5:
		s.locked, t.pc = false, done
	}
}

// explore runs every schedule and collects what is wrong at the end of some.
func explore(s slot, careful bool, seen map[slot]bool, wrong map[string]int) {
	if seen[s] {
		return
	}
	seen[s] = true
	if s.decide.pc != done {
		next := s
		next.stepDecide()
		explore(next, careful, seen, wrong)
	}
	if s.cancel.pc != done {
		next := s
		next.stepCancel()
		explore(next, careful, seen, wrong)
	}
	if s.take.pc != done {
		next := s
		next.stepTake(careful)
		explore(next, careful, seen, wrong)
	}
	if s.decide.pc == done && s.cancel.pc == done && s.take.pc == done {
		switch {
		case s.key == 'B' && s.word != at+1:
			wrong[fmt.Sprint("B has a word of ", s.word)]++
		case s.key == 'A' && s.word == modelFrozen:
			wrong["A is frozen"]++
		}
	}
}

// No schedule charges B for A, as takeovers wait for what was lowered to be past. The
// model finds the schedule that does when they do not.
func TestTakeoverModel(t *testing.T) {
	for word := range 5 { // of A, of which two are reserved
		wrong, seen := map[string]int{}, map[slot]bool{}
		explore(slot{key: 'A', word: word}, true, seen, wrong)
		assert.Empty(t, wrong)
		assert.Greater(t, len(seen), 50)
	}
	wrong := map[string]int{}
	explore(slot{key: 'A', word: at + 1}, false, map[slot]bool{}, wrong)
	assert.Contains(t, wrong, "B has a word of 4")
}
