package hints

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

// Log is a Store in a directory of files: hints survive the process, and with
// the default policy a crash of the machine. Each owner has segments to which
// hints are appended, beside each a file of what is done; a segment of which
// everything is done is deleted. One process at a time may use a directory.
//
// A Log keeps about 40 bytes of memory for each hint that waits, and a file
// open for each owner. The zero Log holds nothing, and PutAt panics.
type Log struct {
	dir string
	config
	paces paces

	mu     sync.Mutex
	next   uint64 // id
	owners map[string][]*segment
	mark   string // file that keeps next when no segment does
	stats  Stats
	timer  *time.Timer // of WithSync(> 0), armed when something is not synced
	failed error       // of a sync in the background
	closed bool
}

// Open opens the store in dir, which it makes if it does not exist. A segment
// that ends in the middle of a record, as a crash leaves it, is cut there. A
// file that is damaged otherwise costs what it held, never the rest: Open
// succeeds, Stats counts it, and Close returns ErrCorrupt.
func Open(dir string, opts ...Option) (*Log, error) {
	l := &Log{dir: dir, next: 1, owners: make(map[string][]*segment)}
	l.config = config{total: 1 << 30, perOwner: 256 << 20}
	for _, opt := range opts {
		opt(&l.config)
	}
	if l.err != nil {
		return nil, l.err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("hints: %w", err)
	}
	if err := l.load(); err != nil {
		return nil, fmt.Errorf("hints: %w", err)
	}
	return l, nil
}

// Put is PutAt the time of time.Now.
func (l *Log) Put(h Hint) error { return l.PutAt(time.Now(), h) }

// PutAt appends a hint for h.Owner. When it returns nil, the hint will be
// delivered at least once, even after a crash (see [WithSync]); on an error
// nothing is stored.
func (l *Log) PutAt(now time.Time, h Hint) error {
	if l.owners == nil {
		panic("hints: PutAt on a Log that Open did not make")
	}
	if err := checkHint(h); err != nil {
		return err
	}
	s, end, err := l.put(now, h)
	if err != nil || l.config.sync != 0 {
		return err
	}
	if err := s.sync(end); err != nil {
		return fmt.Errorf("hints: %w", err)
	}
	return nil
}

// put appends the record, and returns how far its segment must be synced.
func (l *Log) put(now time.Time, h Hint) (s *segment, end int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, 0, ErrClosed
	}
	if l.known != nil && !l.known(h.Owner) {
		l.stats.Refused++
		return nil, 0, fmt.Errorf("hints: owner %q is not known", h.Owner)
	}
	h.ID, h.At = l.next, now
	record := appendHint(nil, h)
	size := int64(len(record))
	if size > math.MaxInt32-headerSize || headerSize+size+l.stats.Bytes > l.total || headerSize+size+l.bytes(h.Owner) > l.perOwner {
		l.stats.Refused++
		return nil, 0, ErrFull
	}
	if s, err = l.active(h.Owner); err != nil {
		return nil, 0, fmt.Errorf("hints: %w", err)
	}
	if _, err := s.file.WriteAt(record, s.size); err != nil {
		if s.file.Truncate(s.size) != nil { // else it is cut when the store is opened again
			s.full = true
			l.next++
		}
		return nil, 0, fmt.Errorf("hints: %w", err)
	}
	s.entries = append(s.entries, entry{id: h.ID, at: s.size, size: int32(size)})
	s.size += size
	s.waiting++
	l.next++
	l.stats.Bytes += size
	l.stats.Hints++
	l.stats.Stored++
	l.soon()
	return s, s.size, nil
}

func (l *Log) bytes(owner string) (sum int64) {
	for _, s := range l.owners[owner] {
		sum += s.size
	}
	return sum
}

// active returns the segment to which hints of the owner are appended.
func (l *Log) active(owner string) (*segment, error) {
	segments := l.owners[owner]
	if n := len(segments); n > 0 {
		s := segments[n-1]
		if !s.full && s.size < l.segmentBytes() {
			return s, nil
		}
		l.fail(s.retire(l.config.sync >= 0))
	}
	s := &segment{path: filepath.Join(l.dir, fileName(l.next, segmentSuffix))}
	if err := s.create(); err != nil {
		return nil, err
	}
	if l.config.sync >= 0 {
		if err := syncDir(l.dir); err != nil {
			return nil, err
		}
	}
	l.stats.Bytes += s.size
	l.owners[owner] = append(segments, s)
	return s, nil
}

// Owners lists those for whom hints wait, sorted.
func (l *Log) Owners() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for name, segments := range l.owners {
		if slices.ContainsFunc(segments, func(s *segment) bool { return s.waiting > 0 }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// soon arms the timer of the sync policy.
func (l *Log) soon() {
	if l.config.sync > 0 && l.timer == nil {
		l.timer = time.AfterFunc(l.config.sync, l.flush)
	}
}

// flush syncs what was written since it was armed.
func (l *Log) flush() {
	l.mu.Lock()
	l.timer = nil
	dirty := make(map[*segment]int64)
	for _, segments := range l.owners {
		for _, s := range segments {
			if s.file != nil {
				dirty[s] = s.size
			}
		}
	}
	l.mu.Unlock()
	for s, size := range dirty {
		if err := s.sync(size); err != nil {
			l.mu.Lock()
			l.fail(err)
			l.mu.Unlock()
		}
	}
}

func (l *Log) fail(err error) {
	if l.failed == nil && err != nil {
		l.failed = fmt.Errorf("hints: %w", err)
	}
}

// Close syncs (unless the policy is never) and closes the files. It returns the
// first error of a sync in the background, and ErrCorrupt if damage was found
// since Open. To close twice is fine.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.owners == nil {
		return nil
	}
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	for _, segments := range l.owners {
		for _, s := range segments {
			l.fail(s.retire(l.config.sync >= 0))
		}
	}
	if l.stats.Damaged > 0 {
		damage := codec.CorruptIn("hints", "%d damaged records or files", l.stats.Damaged)
		return errors.Join(l.failed, damage)
	}
	return l.failed
}

// Stats returns the counts so far.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	for _, segments := range l.owners {
		if slices.ContainsFunc(segments, func(s *segment) bool { return s.waiting > 0 }) {
			s.Owners++
		}
	}
	return s
}
