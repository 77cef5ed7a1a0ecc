package hints

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
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

// Option configures what [Open] returns.
type Option func(*config)

type config struct {
	total, perOwner int64
	known           func(string) bool
	sync            time.Duration
	err             error
}

// WithMaxBytes bounds the segment files, of all owners and of each, both > 0.
// Bytes of hints that are done count until their segment is deleted. Default
// 1 GiB and 256 MiB.
func WithMaxBytes(total, perOwner int64) Option {
	return func(c *config) {
		if c.total, c.perOwner = total, perOwner; total <= 0 || perOwner <= 0 {
			c.err = fmt.Errorf("hints: bytes are at most %d, for an owner %d, want > 0", total, perOwner)
		}
	}
}

// WithKnownOwner refuses hints for owners for whom f is false, so that a
// stranger cannot make the store keep hints for names that do not exist.
// Default: all are known.
func WithKnownOwner(f func(owner string) bool) Option {
	return func(c *config) {
		if c.known = f; f == nil {
			c.err = errors.New("hints: WithKnownOwner(nil), want a function")
		}
	}
}

// WithSync sets when hints reach the disk: 0 before PutAt returns (default;
// concurrent calls share an fsync), > 0 at least so often, < 0 when the
// operating system pleases.
func WithSync(every time.Duration) Option { return func(c *config) { c.sync = every } }

// segmentBytes is when a segment is closed and the next begun: small enough
// that eight fit within the bounds.
func (c *config) segmentBytes() int64 { return min(8<<20, c.total/8, c.perOwner/8) }

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

// Pending iterates over the hints that wait for the owner at the time of the
// call, oldest first, one read of the file for each. A record that is found
// damaged ends its segment.
func (l *Log) Pending(owner string) iter.Seq[Hint] {
	return func(yield func(Hint) bool) {
		l.mu.Lock()
		last := l.next - 1
		l.mu.Unlock()
		var r reader
		defer r.close()
		for after := uint64(0); ; {
			s, e, ok := l.find(owner, after, last)
			if !ok {
				return
			}
			after = e.id
			h, err := r.read(s.path, e)
			switch {
			case err == nil && h.Owner == owner:
				if !yield(h) {
					return
				}
			case err == nil, errors.Is(err, ErrCorrupt), errors.Is(err, io.EOF), errors.Is(err, fs.ErrNotExist):
				l.damaged(owner, s, e.id)
			default: // they wait for better times
				l.mu.Lock()
				l.fail(err)
				l.mu.Unlock()
				return
			}
		}
	}
}

// find returns the first record that waits with an id in (after, last].
func (l *Log) find(owner string, after, last uint64) (*segment, entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.owners[owner] {
		if n := len(s.entries); n == 0 || s.entries[n-1].id <= after {
			continue
		}
		for _, e := range s.entries[s.find(after+1):] {
			if e.id > last {
				break
			}
			if !e.done {
				return s, e, true
			}
		}
	}
	return nil, entry{}, false
}

// Done deletes a hint of the owner: it notes the id, or deletes the segment if
// nothing in it waits any more. A crash may undo it: the hint is sent again.
func (l *Log) Done(owner string, id uint64) error { return l.remove(owner, id, &l.stats.Delivered) }

func (l *Log) expire(owner string, id uint64) error { return l.remove(owner, id, &l.stats.Expired) }

func (l *Log) remove(owner string, id uint64, count *uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	for _, s := range l.owners[owner] {
		i := s.find(id)
		if i == len(s.entries) || s.entries[i].id != id || s.entries[i].done {
			continue
		}
		s.entries[i].done = true
		s.waiting--
		*count++
		l.stats.Hints--
		var err error
		if s.waiting > 0 || l.drop(owner, s) != nil { // a file that cannot be deleted now is when it is loaded
			err = s.note(id)
		}
		if err != nil {
			return fmt.Errorf("hints: %w", err)
		}
		return nil
	}
	return nil
}

// damaged gives up the records of a segment from id on; if the record was only
// deleted in the meantime, nothing.
func (l *Log) damaged(owner string, s *segment, id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := s.find(id)
	if i == len(s.entries) || s.entries[i].done {
		return
	}
	l.stats.Damaged++
	for j := i; j < len(s.entries); j++ {
		if !s.entries[j].done {
			s.entries[j].done = true
			s.waiting--
			l.stats.Hints--
		}
	}
	s.full = true
	if s.waiting == 0 {
		l.fail(l.drop(owner, s))
	}
}

// drop deletes a segment, its notes after it, so that a crash in between
// leaves notes without a segment and not the reverse. The highest id must stay
// on the disk: ids are never used twice.
func (l *Log) drop(owner string, s *segment) error {
	if err := l.keepNext(); err != nil {
		return err
	}
	l.stats.Bytes -= s.size
	segments := slices.DeleteFunc(l.owners[owner], func(x *segment) bool { return x == s })
	if l.owners[owner] = segments; len(segments) == 0 {
		delete(l.owners, owner)
	}
	return s.remove()
}

// keepNext writes a file that is named after the next id, if there is not one
// of that or a later id.
func (l *Log) keepNext() error {
	name := fileName(l.next, markSuffix)
	if name == l.mark {
		return nil
	}
	f, err := os.Create(filepath.Join(l.dir, name))
	if err != nil {
		return err
	}
	err = f.Close()
	if l.config.sync >= 0 && err == nil {
		err = syncDir(l.dir)
	}
	if err == nil && l.mark != "" {
		err = os.Remove(filepath.Join(l.dir, l.mark))
	}
	l.mark = name
	return err
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
