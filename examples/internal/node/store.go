package node

// Shows distkit/bloom (a filter in front of each segment) and distkit/lru (a
// cache of blocks that all reads share).

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/lru"
)

// store is a log-structured engine. A write goes to the write-ahead log, then
// to memory, and with the whole of memory to a segment; a read goes memory,
// filter, block cache, segment, the newest segment first. Segments are merged when
// there are too many. Values are whole states, so the newest one of a key is all
// there is to know. A deleted key is an entry without a value, until its segment
// becomes part of the oldest one.
type store struct {
	dir   string
	fsync Fsync
	limit int // of memory, in bytes, before it is written out

	mu       sync.RWMutex // order: mu, then the log's
	flushed  *sync.Cond
	mem      map[string][]byte
	memBytes int
	log      *wal
	frozen   map[string][]byte // what is being written to a segment
	oldLog   *wal
	segments []*segment // oldest first
	next     int        // number of the next log or segment
	err      error      // why the store takes no more writes
	closed   bool

	blocks *lru.Concurrent[blockID, []byte] // segments do not change, so neither do blocks

	work chan struct{}
	done sync.WaitGroup

	reads, skipped, falseReads atomic.Uint64
}

const (
	memLimit    = 2 << 20 // bytes of keys and values
	maxSegments = 4
	cacheBytes  = 4 << 20
)

// OpenStore opens or makes the log-structured engine in dir and replays its log.
func OpenStore(dir string, fsync Fsync) (Engine, error) {
	s, err := openStore(dir, fsync)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func openStore(dir string, fsync Fsync) (_ *store, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &store{dir: dir, fsync: fsync, limit: memLimit, mem: map[string][]byte{}, work: make(chan struct{}, 1)}
	s.flushed = sync.NewCond(&s.mu)
	s.blocks, err = lru.NewConcurrent[blockID, []byte](cacheBytes, lru.WithStats(),
		lru.WithWeigher(func(_ blockID, data []byte) uint32 { return uint32(len(data) + 1) }))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.closeFiles(true)
		}
	}()
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var logs []string
	for _, f := range files { // in ascending order of names, hence of age
		path := filepath.Join(dir, f.Name())
		switch filepath.Ext(path) {
		case ".tmp":
			err = os.Remove(path)
		case ".seg":
			var seg *segment
			if seg, err = openSegment(path); err == nil {
				s.segments = append(s.segments, seg)
			}
		case ".wal":
			logs = append(logs, path)
		}
		if err != nil {
			return nil, err
		}
		var n int
		if _, e := fmt.Sscanf(strings.TrimSuffix(f.Name(), filepath.Ext(path)), "%d", &n); e == nil {
			s.next = max(s.next, n+1)
		}
	}
	if err := s.recover(logs); err != nil {
		return nil, err
	}
	if len(s.segments) > maxSegments { // the crash came before they were merged
		if err := s.compact(slices.Clone(s.segments)); err != nil {
			return nil, err
		}
	}
	s.done.Go(s.maintain)
	return s, nil
}

// recover replays all logs into memory. More than one is left when the crash
// came before a segment was whole; the older ones are written out now.
func (s *store) recover(logs []string) error {
	for i, path := range logs {
		log, err := openWAL(path, s.fsync, func(key string, value []byte) { s.keep(key, value) })
		if err != nil {
			return err
		}
		if i == len(logs)-1 {
			s.log = log
			return nil
		}
		if err := log.close(false); err != nil {
			return err
		}
		if err := s.writeOut(s.mem); err != nil {
			return err
		}
		s.mem, s.memBytes = map[string][]byte{}, 0
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	log, err := s.newLog()
	s.log = log
	return err
}

func (s *store) newLog() (*wal, error) {
	path := filepath.Join(s.dir, fmt.Sprintf("%08d.wal", s.next))
	s.next++
	log, err := openWAL(path, s.fsync, func(string, []byte) {})
	if err != nil {
		return nil, err
	}
	return log, syncDir(s.dir)
}

func (s *store) keep(key string, value []byte) {
	if old, ok := s.mem[key]; ok {
		s.memBytes -= len(key) + len(old)
	}
	s.mem[key] = value
	s.memBytes += len(key) + len(value)
}

func (s *store) Get(key string) ([]byte, bool, error) {
	s.reads.Add(1)
	s.mu.RLock() // to the end, so that no segment is closed meanwhile
	defer s.mu.RUnlock()
	if s.closed {
		return nil, false, os.ErrClosed
	}
	for _, table := range []map[string][]byte{s.mem, s.frozen} {
		if value, ok := table[key]; ok {
			return value, value != nil, nil
		}
	}
	h := distkit.HashString(key)
	for _, seg := range slices.Backward(s.segments) {
		value, ok, read, err := seg.get(key, h, s.blocks)
		switch {
		case err != nil:
			return nil, false, err
		case ok:
			return value, value != nil, nil
		case read:
			s.falseReads.Add(1)
		default:
			s.skipped.Add(1)
		}
	}
	return nil, false, nil
}

func (s *store) Put(key string, value []byte) (durable func() error, err error) {
	if value == nil {
		value = []byte{} // in memory and in the log, nil says that the key is deleted
	}
	return s.write(key, value)
}

func (s *store) Delete(key string) error {
	_, err := s.write(key, nil)
	return err
}

func (s *store) write(key string, value []byte) (durable func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.memBytes > s.limit && s.frozen != nil && s.err == nil && !s.closed {
		s.flushed.Wait() // the disk is behind; memory must not grow without bound
	}
	if err := s.writable(); err != nil {
		return nil, err
	}
	log := s.log
	pos, err := log.append(key, value)
	if err != nil {
		return nil, err
	}
	s.keep(key, value)
	if s.memBytes > s.limit && s.frozen == nil {
		s.err = s.freeze()
	}
	return func() error { return log.sync(pos) }, nil
}

func (s *store) writable() error {
	if s.closed {
		return os.ErrClosed
	}
	return s.err
}

// freeze hands memory to the maintainer and starts an empty one with a log of
// its own.
func (s *store) freeze() error {
	log, err := s.newLog()
	if err != nil {
		return err
	}
	s.frozen, s.oldLog = s.mem, s.log
	s.mem, s.memBytes, s.log = map[string][]byte{}, 0, log
	select {
	case s.work <- struct{}{}:
	default:
	}
	return nil
}

func (s *store) All() (iter.Seq2[string, []byte], error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, os.ErrClosed
	}
	all := map[string][]byte{}
	var err error
	for _, seg := range s.segments {
		maps.Insert(all, seg.all(&err))
	}
	maps.Copy(all, s.frozen)
	maps.Copy(all, s.mem)
	maps.DeleteFunc(all, func(_ string, value []byte) bool { return value == nil })
	return maps.All(all), err
}

func (s *store) Stats() EngineStats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	blocks := s.blocks.Stats()
	return EngineStats{
		Segments: len(s.segments), Reads: s.reads.Load(), CacheHits: blocks.Hits, DiskReads: blocks.Misses,
		Skipped: s.skipped.Load(), FalseReads: s.falseReads.Load(),
	}
}

func (s *store) Close(died bool) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.flushed.Broadcast()
	s.mu.Unlock()
	close(s.work)
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeFiles(died)
}

func (s *store) closeFiles(died bool) (err error) {
	for _, log := range []*wal{s.log, s.oldLog} {
		if log != nil {
			err = errors.Join(err, log.close(died))
		}
	}
	for _, seg := range s.segments {
		err = errors.Join(err, seg.close())
	}
	return err
}

// syncDir makes names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
