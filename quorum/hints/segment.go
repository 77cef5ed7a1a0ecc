package hints

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
)

const (
	segmentSuffix = ".hints"
	notesSuffix   = ".done"
	markSuffix    = ".next"

	headerSize = 8
	frameSize  = 4 + 8 // length and checksum of a record
	noteSize   = frameSize + 8
)

// The first bytes of the files: a magic, the version of the layout, zeros.
var (
	segmentHeader = [headerSize]byte{0xD1, 0x6B, 'h', 's', 0}
	notesHeader   = [headerSize]byte{0xD1, 0x6B, 'h', 'd', 0}
)

// segment is a file of hints of one owner. The Log's mutex guards it, but for
// what sync does.
type segment struct {
	path    string
	size    int64
	entries []entry // by id
	waiting int
	full    bool // append no more

	file  *os.File // open while it is appended to
	notes *os.File // open once something was noted

	syncing sync.Mutex
	synced  int64
}

// entry is where a record is.
type entry struct {
	id   uint64
	at   int64
	size int32
	done bool
}

func (s *segment) find(id uint64) int {
	return sort.Search(len(s.entries), func(i int) bool { return s.entries[i].id >= id })
}

func (s *segment) create() error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if _, err := f.Write(segmentHeader[:]); err != nil {
		return errors.Join(err, f.Close(), os.Remove(s.path))
	}
	s.file, s.size = f, headerSize
	return nil
}

// sync brings the first end bytes to the disk. Callers that wait for one
// another's fsync share the next.
func (s *segment) sync(end int64) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.synced >= end {
		return nil
	}
	if s.file == nil {
		return errors.New("file was closed before it was synced")
	}
	size, err := s.file.Seek(0, io.SeekEnd)
	if err == nil {
		err = s.file.Sync()
	}
	if err == nil {
		s.synced = size
	}
	return err
}

// retire closes the files.
func (s *segment) retire(sync bool) error {
	s.full = true
	var errs []error
	if s.file != nil {
		if sync {
			errs = append(errs, s.sync(s.size))
		}
		s.syncing.Lock()
		errs = append(errs, s.file.Close())
		s.file = nil
		s.syncing.Unlock()
	}
	if s.notes != nil {
		errs = append(errs, s.notes.Close())
		s.notes = nil
	}
	return errors.Join(errs...)
}

func (s *segment) notesPath() string { return strings.TrimSuffix(s.path, segmentSuffix) + notesSuffix }

// note appends to the file of what is done. It is not synced: a note that is
// lost means that a hint is sent once more.
func (s *segment) note(id uint64) error {
	if s.notes == nil {
		f, err := os.OpenFile(s.notesPath(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			return err
		}
		s.notes = f
		if info, err := f.Stat(); err != nil {
			return err
		} else if info.Size() == 0 {
			if _, err := f.Write(notesHeader[:]); err != nil {
				return err
			}
		}
	}
	_, err := s.notes.Write(frame(binary.LittleEndian.AppendUint64(make([]byte, frameSize, noteSize), id)))
	return err
}

// remove deletes the files.
func (s *segment) remove() error {
	s.syncing.Lock()
	s.synced = math.MaxInt64 // whatever still waits for its hint to be synced may stop
	s.syncing.Unlock()
	err := errors.Join(s.retire(false), os.Remove(s.path))
	if gone := os.Remove(s.notesPath()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// frame fills in the first bytes of a record: the length and the checksum of
// what follows them.
func frame(record []byte) []byte {
	binary.LittleEndian.PutUint32(record, uint32(len(record)-frameSize))
	binary.LittleEndian.PutUint64(record[4:], xxhash.Sum64(record[frameSize:]))
	return record
}

// unframe returns the payload of the record at the start of data and what
// comes after it; ok is false if there is no whole and sound record.
func unframe(data []byte) (payload, rest []byte, ok bool) {
	if len(data) < frameSize {
		return nil, data, false
	}
	n := uint64(binary.LittleEndian.Uint32(data))
	if n > uint64(len(data)-frameSize) {
		return nil, data, false
	}
	payload, rest = data[frameSize:frameSize+n], data[frameSize+n:]
	return payload, rest, binary.LittleEndian.Uint64(data[4:]) == xxhash.Sum64(payload)
}

// appendHint appends the record of a hint.
func appendHint(b []byte, h Hint) []byte {
	start := len(b)
	b = append(b, make([]byte, frameSize)...)
	b = binary.LittleEndian.AppendUint64(b, h.ID)
	b = binary.AppendUvarint(b, uint64(len(h.Owner)))
	b = append(b, h.Owner...)
	b = binary.AppendUvarint(b, uint64(len(h.Key)))
	b = append(b, h.Key...)
	b = binary.AppendUvarint(b, uint64(len(h.Value)))
	b = append(b, h.Value...)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.At.UnixMilli()))
	frame(b[start:])
	return b
}

// parseHint reads a payload; Value aliases it.
func parseHint(p []byte) (h Hint, ok bool) {
	if len(p) < 16 {
		return Hint{}, false
	}
	h.ID = binary.LittleEndian.Uint64(p)
	h.At = time.UnixMilli(int64(binary.LittleEndian.Uint64(p[len(p)-8:])))
	p = p[8 : len(p)-8]
	var fields [3][]byte
	for i := range fields {
		n, used := binary.Uvarint(p)
		if used <= 0 || n > uint64(len(p)-used) {
			return Hint{}, false
		}
		fields[i], p = p[used:used+int(n)], p[used+int(n):]
	}
	h.Owner, h.Key, h.Value = string(fields[0]), string(fields[1]), fields[2]
	return h, len(p) == 0 && h.Owner != ""
}

// reader reads records, and keeps the file of the last one open.
type reader struct {
	path string
	file *os.File
}

func (r *reader) read(path string, e entry) (Hint, error) {
	if r.path != path {
		r.close()
		f, err := os.Open(path)
		if err != nil {
			return Hint{}, err
		}
		r.path, r.file = path, f
	}
	data := make([]byte, e.size)
	if _, err := r.file.ReadAt(data, e.at); err != nil {
		return Hint{}, err
	}
	payload, rest, ok := unframe(data)
	if !ok || len(rest) > 0 {
		return Hint{}, ErrCorrupt
	}
	h, ok := parseHint(payload)
	if !ok || h.ID != e.id {
		return Hint{}, ErrCorrupt
	}
	return h, nil
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close() // read only
		r.path, r.file = "", nil
	}
}

// syncDir makes the names in a directory durable, where the system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}
