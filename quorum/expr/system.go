package expr

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// ErrDisjoint says that a read quorum and a write quorum need not meet; the
// text names two that do not.
var ErrDisjoint = errors.New("expr: reads and writes need not meet")

// System is a pair of expressions of which every read quorum meets every write
// quorum: a read sees the last completed write. Package quorum runs it.
//
// A System is immutable and safe for concurrent use. The zero System has no
// quorums.
type System struct {
	reads, writes Expr
	nodes         []string
	config
}

type config struct {
	capacity func(node string) (read, write float64)
	latency  func(node string) time.Duration
}

// SystemOption tells [NewSystem] what the nodes are like; only [System.Optimize]
// uses it.
type SystemOption func(*config)

// WithCapacity sets how many reads and how many writes each node bears in a
// unit of time, both > 0. Default: 1 and 1 for every node.
func WithCapacity(f func(node string) (read, write float64)) SystemOption {
	return func(c *config) { c.capacity = f }
}

// WithLatency sets how long each node takes to answer, ≥ 0. Default: one
// second for every node.
func WithLatency(f func(node string) time.Duration) SystemOption {
	return func(c *config) { c.latency = f }
}

// NewSystem proves that every read quorum meets every write quorum and returns
// the system, or an error that wraps ErrDisjoint and names a read quorum and a
// write quorum that do not meet. The proof takes time polynomial in the size of
// usual expressions; ErrTooComplex says that one is not usual. The two
// expressions need not name the same nodes.
func NewSystem(reads, writes Expr, opts ...SystemOption) (*System, error) {
	if err := reads.Err(); err != nil {
		return nil, fmt.Errorf("reads: %w", err)
	}
	if err := writes.Err(); err != nil {
		return nil, fmt.Errorf("writes: %w", err)
	}
	s := &System{reads: reads, writes: writes, nodes: reads.Nodes()}
	for _, name := range writes.Nodes() {
		if !slices.Contains(s.nodes, name) {
			s.nodes = append(s.nodes, name)
		}
	}
	for _, opt := range opts {
		opt(&s.config)
	}
	for i, name := range s.nodes {
		read, write := s.capacityOf(i)
		if !(read > 0 && write > 0) || math.IsInf(read, 1) || math.IsInf(write, 1) {
			return nil, fmt.Errorf("expr: capacity of %q is %g and %g, want > 0", name, read, write)
		}
		if d := s.nodeLatency(i); d < 0 {
			return nil, fmt.Errorf("expr: latency of %q is %v, want 0 or more", name, d)
		}
	}
	read, write, err := disjoint(s)
	if err != nil {
		return nil, err
	}
	if write != nil {
		return nil, fmt.Errorf("%w: read quorum %s and write quorum %s", ErrDisjoint, product(read), product(write))
	}
	return s, nil
}

// Reads returns the expression of the read quorums.
func (s *System) Reads() Expr {
	if s == nil {
		return Expr{}
	}
	return s.reads
}

// Writes returns the expression of the write quorums.
func (s *System) Writes() Expr {
	if s == nil {
		return Expr{}
	}
	return s.writes
}

// Nodes returns the names in both expressions, in the order of their first
// appearance, the reads first.
func (s *System) Nodes() []string {
	if s == nil {
		return nil
	}
	return slices.Clone(s.nodes)
}

// disjoint looks for a set that satisfies the writes while the rest of the
// nodes satisfies the reads, that is, one that does not satisfy the dual of
// the reads. It returns minimal quorums, nil if there is no such set.
func disjoint(s *System) (read, write []string, err error) {
	d := newDiagram(s.nodes)
	writes, meets := d.build(s.writes.root), d.build(dual(s.reads.root))
	f := d.ite(meets, 0, writes)
	if d.full {
		return nil, nil, fmt.Errorf("%w: no proof with %d steps", ErrTooComplex, maxDiagram)
	}
	if f == 0 {
		return nil, nil, nil
	}
	for f != 1 { // a set, as large as the diagram lets it be
		v := d.at[f]
		if f = v.yes; f == 0 {
			f = v.no
		} else {
			write = append(write, s.nodes[v.level])
		}
	}
	write = shrink(s.writes, write)
	for _, name := range s.nodes {
		if !slices.Contains(write, name) {
			read = append(read, name)
		}
	}
	return shrink(s.reads, read), write, nil
}

// shrink drops nodes, the last ones first, while a quorum is left.
func shrink(e Expr, set []string) []string {
	set = slices.Clone(set)
	for i := len(set) - 1; i >= 0; i-- {
		if less := slices.Delete(slices.Clone(set), i, i+1); e.Satisfied(less...) {
			set = less
		}
	}
	return set
}

func product(set []string) string {
	names := make([]string, len(set))
	for i, name := range set {
		names[i] = quote(name)
	}
	slices.Sort(names)
	return strings.Join(names, "*")
}
