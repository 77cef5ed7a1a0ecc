package node

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// maintain writes frozen memory to segments and merges segments.
func (s *store) maintain() {
	for range s.work {
		s.mu.RLock()
		frozen, closed := s.frozen, s.closed
		s.mu.RUnlock()
		if closed {
			return
		}
		err := s.writeOut(frozen)
		s.mu.Lock()
		if err == nil {
			err = errors.Join(s.oldLog.close(false), os.Remove(s.oldLog.path))
			s.frozen, s.oldLog = nil, nil
		}
		if err == nil && len(s.segments) > maxSegments {
			segments := slices.Clone(s.segments)
			s.mu.Unlock()
			err = s.compact(segments)
			s.mu.Lock()
		}
		if s.err == nil {
			s.err = err
		}
		s.flushed.Broadcast()
		s.mu.Unlock()
	}
}

// writeOut makes a segment of table and adds it as the newest.
func (s *store) writeOut(table map[string][]byte) error {
	keys := slices.Sorted(maps.Keys(table))
	seg, err := s.newSegment(len(keys), func(yield func(string, []byte) bool) {
		for _, key := range keys {
			if !yield(key, table[key]) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.segments = append(s.segments, seg)
	s.mu.Unlock()
	return nil
}

func (s *store) newSegment(count int, entries iter.Seq2[string, []byte]) (*segment, error) {
	s.mu.Lock()
	path := filepath.Join(s.dir, fmt.Sprintf("%08d.seg", s.next))
	s.next++
	s.mu.Unlock()
	if err := writeSegment(path, count, entries); err != nil {
		return nil, err
	}
	if err := syncDir(s.dir); err != nil {
		return nil, err
	}
	return openSegment(path)
}

// compact merges segments, the oldest ones of the store, into one.
func (s *store) compact(segments []*segment) error {
	count := 0 // at most; writeSegment folds the filter to what it needs
	for _, seg := range segments {
		count += int(seg.filter.EstimatedCount()) + 1
	}
	var err error
	merged, err2 := s.newSegment(count, func(yield func(string, []byte) bool) {
		for key, value := range mergeSegments(segments, &err) {
			if value != nil && !yield(key, value) { // what is deleted has no older value that it must hide
				return
			}
		}
	})
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	s.mu.Lock()
	s.segments = append([]*segment{merged}, s.segments[len(segments):]...)
	s.mu.Unlock()
	s.blocks.DeleteFunc(func(id blockID, _ []byte) bool {
		return slices.ContainsFunc(segments, func(seg *segment) bool { return seg.number == id.segment })
	})
	for _, seg := range segments { // no reader is left: readers hold mu
		err = errors.Join(err, seg.close(), os.Remove(seg.path))
	}
	return err
}
