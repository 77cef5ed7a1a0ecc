package hints

import (
	"iter"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"
)

// hintBytes is what a hint costs besides its texts.
const hintBytes = 80

// Memory is a Store in memory: fast, bounded, and gone with the process. The
// zero Memory holds nothing, and PutAt panics.
type Memory struct {
	mu     sync.Mutex
	max    int64
	closed bool
	last   uint64
	queues map[string]*queue
	stats  Stats
	paces  paces
}

// queue is the hints of one owner in the order of their ids. Those at the
// front that are done are cut off, others stay as gaps until they are many.
type queue struct {
	hints   []Hint
	gone    []bool
	waiting int
}

// NewMemory returns a store that holds at most maxBytes of hints, each counted
// with 80 bytes besides its owner, key and value. With 0 or less it refuses
// every hint.
func NewMemory(maxBytes int) *Memory {
	return &Memory{max: int64(maxBytes), queues: make(map[string]*queue)}
}

func sizeOf(h Hint) int64 { return hintBytes + int64(len(h.Owner)+len(h.Key)+len(h.Value)) }

// Put is PutAt the time of time.Now.
func (m *Memory) Put(h Hint) error { return m.PutAt(time.Now(), h) }

// PutAt stores a hint for h.Owner. O(1) amortized.
func (m *Memory) PutAt(now time.Time, h Hint) error {
	if m.queues == nil {
		panic("hints: PutAt on a Memory that NewMemory did not make")
	}
	if err := checkHint(h); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if sizeOf(h) > m.max-m.stats.Bytes {
		m.stats.Refused++
		return ErrFull
	}
	m.last++
	h.ID, h.At, h.Value = m.last, now, slices.Clone(h.Value)
	q := m.queues[h.Owner]
	if q == nil {
		q = new(queue)
		m.queues[h.Owner] = q
	}
	q.hints, q.gone = append(q.hints, h), append(q.gone, false)
	q.waiting++
	m.stats.Stored++
	m.stats.Hints++
	m.stats.Bytes += sizeOf(h)
	return nil
}

// Owners lists those for whom hints wait, sorted.
func (m *Memory) Owners() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.queues))
}

// Pending iterates over the hints that wait for the owner at the time of the
// call, oldest first.
func (m *Memory) Pending(owner string) iter.Seq[Hint] {
	return func(yield func(Hint) bool) {
		m.mu.Lock()
		last := m.last
		m.mu.Unlock()
		for after := uint64(0); ; {
			h, ok := m.next(owner, after, last)
			if !ok || !yield(h) {
				return
			}
			after = h.ID
		}
	}
}

// next returns the first hint that waits with an id in (after, last].
func (m *Memory) next(owner string, after, last uint64) (Hint, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queues[owner]
	if q == nil {
		return Hint{}, false
	}
	for i := q.find(after + 1); i < len(q.hints) && q.hints[i].ID <= last; i++ {
		if !q.gone[i] {
			return q.hints[i], true
		}
	}
	return Hint{}, false
}

// find returns the place of the first hint with that id or a larger one.
func (q *queue) find(id uint64) int {
	return sort.Search(len(q.hints), func(i int) bool { return q.hints[i].ID >= id })
}

// Done deletes a hint of the owner. O(log n) amortized.
func (m *Memory) Done(owner string, id uint64) error {
	m.remove(owner, id, &m.stats.Delivered)
	return nil
}

func (m *Memory) expire(owner string, id uint64) error {
	m.remove(owner, id, &m.stats.Expired)
	return nil
}

func (m *Memory) remove(owner string, id uint64, count *uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queues[owner]
	if q == nil {
		return
	}
	i := q.find(id)
	if i == len(q.hints) || q.hints[i].ID != id || q.gone[i] {
		return
	}
	*count++
	m.stats.Hints--
	m.stats.Bytes -= sizeOf(q.hints[i])
	q.hints[i] = Hint{ID: id} // the rest may be collected
	q.gone[i] = true
	if q.waiting--; q.waiting == 0 {
		delete(m.queues, owner)
		return
	}
	q.tidy()
}

// tidy cuts off the front, and closes the gaps when they are the most.
func (q *queue) tidy() {
	front := 0
	for q.gone[front] {
		front++
	}
	q.hints, q.gone = q.hints[front:], q.gone[front:]
	if len(q.hints) < 2*q.waiting+32 {
		return
	}
	hints := make([]Hint, 0, q.waiting)
	for i, h := range q.hints {
		if !q.gone[i] {
			hints = append(hints, h)
		}
	}
	q.hints, q.gone = hints, make([]bool, len(hints))
}

// Close refuses further hints; those that wait are lost with the Memory.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Stats returns the counts so far.
func (m *Memory) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Owners = len(m.queues)
	return s
}
