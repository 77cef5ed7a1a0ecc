package hints

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

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
