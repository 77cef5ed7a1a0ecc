package hints

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// fileName names a file after the first id that is or may be in it.
func fileName(id uint64, suffix string) string { return fmt.Sprintf("%016x%s", id, suffix) }

func parseName(name, suffix string) (id uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 16 || strings.ToLower(digits) != digits {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 16, 64)
	return id, err == nil
}

// load reads the directory. Files of other names are left alone.
func (l *Log) load() error {
	list, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	var segments, notes, marks []string
	for _, file := range list { // by name, so by id
		name := file.Name()
		for suffix, into := range map[string]*[]string{segmentSuffix: &segments, notesSuffix: &notes, markSuffix: &marks} {
			if id, ok := parseName(name, suffix); ok && file.Type().IsRegular() {
				*into = append(*into, name)
				if suffix == segmentSuffix {
					id++
				}
				l.next = max(l.next, id)
			}
		}
	}
	for i, name := range marks {
		if i == len(marks)-1 {
			l.mark = name
		} else if err := os.Remove(filepath.Join(l.dir, name)); err != nil {
			return err
		}
	}
	for _, name := range segments {
		if err := l.loadSegment(name); err != nil {
			return err
		}
	}
	for _, name := range notes { // whose segment was deleted before a crash
		if !slices.Contains(segments, strings.TrimSuffix(name, notesSuffix)+segmentSuffix) {
			if err := os.Remove(filepath.Join(l.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadSegment reads a segment up to the first record that is not whole and
// sound, and cuts it there.
func (l *Log) loadSegment(name string) error {
	s := &segment{path: filepath.Join(l.dir, name), full: true}
	data, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	if len(data) >= headerSize && [headerSize]byte(data) != segmentHeader {
		l.stats.Damaged++ // not ours, or of another version: left as it is
		return nil
	}
	var owner string
	if len(data) >= headerSize {
		owner, err = s.scan(data)
		if err != nil {
			l.stats.Damaged++
		}
	}
	if len(s.entries) == 0 { // PutAt of its first hint did not return
		return os.Remove(s.path)
	}
	if s.size < int64(len(data)) {
		if err := os.Truncate(s.path, s.size); err != nil {
			return err
		}
	}
	if err := l.loadNotes(s); err != nil {
		return err
	}
	l.next = max(l.next, s.entries[len(s.entries)-1].id+1)
	l.stats.Bytes += s.size
	l.stats.Hints += s.waiting
	l.owners[owner] = append(l.owners[owner], s)
	if s.waiting == 0 {
		return l.drop(owner, s)
	}
	return nil
}

// scan takes in the records of a segment. The error tells of damage that no
// interrupted write explains: bytes after a record that is not sound.
func (s *segment) scan(data []byte) (owner string, damage error) {
	rest := data[headerSize:]
	s.size, s.synced = headerSize, int64(len(data))
	for len(rest) > 0 {
		payload, after, ok := unframe(rest)
		h, parsed := parseHint(payload)
		last := uint64(0)
		if n := len(s.entries); n > 0 {
			last = s.entries[n-1].id
		}
		if !ok || !parsed || h.ID <= last || len(s.entries) > 0 && h.Owner != owner {
			if payload != nil && len(after) > 0 {
				damage = ErrCorrupt
			}
			break
		}
		owner = h.Owner
		size := len(rest) - len(after)
		s.entries = append(s.entries, entry{id: h.ID, at: s.size, size: int32(size)})
		s.size += int64(size)
		rest = after
	}
	s.waiting = len(s.entries)
	return owner, damage
}

// loadNotes marks what is done. Notes that are damaged mean that hints are sent
// once more; the file is cut there.
func (l *Log) loadNotes(s *segment) error {
	data, err := os.ReadFile(s.notesPath())
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	sound := 0
	if len(data) >= headerSize && [headerSize]byte(data) == notesHeader {
		rest := data[headerSize:]
		for len(rest) > 0 {
			payload, after, ok := unframe(rest)
			if !ok || len(payload) != 8 {
				break
			}
			id := binary.LittleEndian.Uint64(payload)
			if i := s.find(id); i < len(s.entries) && s.entries[i].id == id && !s.entries[i].done {
				s.entries[i].done = true
				s.waiting--
			}
			rest = after
		}
		sound = len(data) - len(rest)
	}
	if sound < len(data) {
		return os.Truncate(s.notesPath(), int64(sound))
	}
	return nil
}
