package quorum

import (
	"context"
	"fmt"
	"slices"
)

// prepare checks the preference list and fills in the owners; it copies what
// it keeps. Nothing is shared yet.
func (f *call) prepare(ctx context.Context, c *Coordinator, s *side, op string, prefs []string) error {
	f.c, f.op, f.side, f.parent, f.first = c, op, s, ctx, -1
	f.n = c.n
	if len(prefs) < c.n {
		return f.fail(fmt.Errorf("%w: %d nodes given, want %d", ErrUnavailable, len(prefs), c.n), nil)
	}
	prefs = prefs[:min(len(prefs), c.n+c.standIns)]
	if err := unique(prefs); err != nil {
		return err
	}
	owners, others := prefs[:c.n], prefs[c.n:]
	if err := f.choose(s, owners); err != nil {
		return err
	}
	f.seat(owners)
	for _, node := range others {
		if c.health == nil || c.health(node) {
			f.spare = append(f.spare, node)
		}
	}
	return nil
}

// choose takes the rule by which answers of these owners are enough: the side's
// own, or for zone levels the one that their zones make. A system has its nodes in
// another order than the preference list.
func (f *call) choose(s *side, owners []string) error {
	f.rule = &s.rule
	switch {
	case f.c.system != nil:
		f.perm = new([maxReplicas]uint8)
		for i, node := range owners {
			bit, ok := f.c.bit[node]
			if !ok {
				return fmt.Errorf("quorum: node %q is not in the system", node)
			}
			f.perm[i] = uint8(bit)
		}
	case s.level.scope != everywhere:
		rule, err := s.level.zoned(owners, f.c.zones)
		if err != nil {
			return err
		}
		f.rule = &rule
	}
	return nil
}

// seat gives each owner its place; those that are down have failed already.
func (f *call) seat(owners []string) {
	f.slots, f.order = f.room[:min(f.n, inlineSlots)], f.places[:min(f.n, inlineSlots)]
	if f.n > inlineSlots {
		f.slots, f.order = make([]slot, f.n), make([]uint8, f.n)
	}
	for i, node := range owners {
		f.slots[i].target = Target{node, node}
		f.order[i] = uint8(i)
		if f.c.health != nil && !f.c.health(node) {
			f.failed |= 1 << i
			f.blame(node, ErrDown)
		}
	}
	f.idle = lowBits(f.n) &^ f.failed
}

// blame notes why a node failed.
func (f *call) blame(node string, err error) {
	if f.failures == nil {
		f.failures = f.fault[:0]
	}
	f.failures = append(f.failures, NodeError{node, err})
}

// unique refuses a node that is given twice: it must not answer twice.
func unique(prefs []string) error {
	if len(prefs) > 16 {
		seen := make(map[string]bool, len(prefs))
		for _, node := range prefs {
			if seen[node] {
				return fmt.Errorf("quorum: node %q is given twice", node)
			}
			seen[node] = true
		}
		return nil
	}
	for i, node := range prefs {
		if slices.Contains(prefs[:i], node) {
			return fmt.Errorf("quorum: node %q is given twice", node)
		}
	}
	return nil
}
