package node

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sort"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/lru"
)

// A segment is an immutable sorted file, guarded by a Bloom filter so that a
// read of a key that is not in it costs no read of the disk:
//
//	blocks  entries of about 4 KiB a block: uvarint length, key, uvarint length, then 1 and the value, or 0 if the key is deleted
//	index   per block: uvarint length, first key, u64 offset, u32 length, u64 XXH64
//	filter  image of a bloom.Filter over all keys
//	footer  u64 offset of index, u64 offset of filter, u64 XXH64 of index and filter, 8 bytes magic
//
// Only index and filter are held in memory.
type segment struct {
	path   string
	number uint32
	f      *os.File
	index  []block
	filter bloom.Filter
}

// blockID names a block of a segment.
type blockID struct{ segment, block uint32 }

type block struct {
	first  string
	offset int64
	length int
	sum    uint64
}

const (
	blockSize     = 4 << 10
	segmentMagic  = "dksegm\x00\x02"
	segmentFooter = 8 + 8 + 8 + len(segmentMagic)
)

// filterRate is the share of absent keys for which a segment is read in vain.
const filterRate = 0.01

// writeSegment writes the entries, at most count and in ascending order of keys,
// to path; the file appears there whole or not at all.
func writeSegment(path string, count int, entries iter.Seq2[string, []byte]) error {
	filter, err := bloom.New(uint64(max(count, 1)), filterRate)
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(tmp) // after the rename there is nothing to remove
	defer f.Close()

	out := bufio.NewWriterSize(f, 64<<10)
	var index, entriesOfBlock []byte
	var first string
	var offset int64
	flush := func() {
		index = appendBytes(index, first)
		index = binary.LittleEndian.AppendUint64(index, uint64(offset))
		index = binary.LittleEndian.AppendUint32(index, uint32(len(entriesOfBlock)))
		index = binary.LittleEndian.AppendUint64(index, distkit.Hash(entriesOfBlock))
		offset += int64(len(entriesOfBlock))
		out.Write(entriesOfBlock)
		entriesOfBlock = entriesOfBlock[:0]
	}
	for key, value := range entries {
		if len(entriesOfBlock) == 0 {
			first = key
		}
		filter.AddHash(distkit.HashString(key))
		entriesOfBlock = appendEntry(entriesOfBlock, key, value)
		if len(entriesOfBlock) >= blockSize {
			flush()
		}
	}
	if len(entriesOfBlock) > 0 {
		flush()
	}
	// count may have been too high, by keys that several segments share.
	tail, err := filter.Compact(filterRate).AppendBinary(index)
	if err != nil {
		return err
	}
	sum := distkit.Hash(tail)
	tail = binary.LittleEndian.AppendUint64(tail, uint64(offset))
	tail = binary.LittleEndian.AppendUint64(tail, uint64(offset)+uint64(len(index)))
	tail = binary.LittleEndian.AppendUint64(tail, sum)
	out.Write(append(tail, segmentMagic...))
	if err := out.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func appendEntry(b []byte, key string, value []byte) []byte {
	b = appendBytes(b, key)
	if value == nil {
		return append(b, 1, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(value)+1))
	return appendValue(b, value)
}

// openSegment reads and verifies index and filter.
func openSegment(path string) (*segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s := &segment{path: path, f: f}
	if _, err := fmt.Sscanf(filepath.Base(path), "%d.seg", &s.number); err != nil {
		return nil, errors.Join(fmt.Errorf("segment %s: want a number as its name", path), f.Close())
	}
	if err := s.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("segment %s: %w", path, err)
	}
	return s, nil
}

func (s *segment) load() error {
	info, err := s.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < int64(segmentFooter) {
		return fmt.Errorf("%d bytes, want at least %d", info.Size(), segmentFooter)
	}
	var footer [segmentFooter]byte
	end := info.Size() - int64(segmentFooter)
	if _, err := s.f.ReadAt(footer[:], end); err != nil {
		return err
	}
	indexAt, filterAt := int64(binary.LittleEndian.Uint64(footer[:])), int64(binary.LittleEndian.Uint64(footer[8:]))
	if string(footer[24:]) != segmentMagic || indexAt < 0 || filterAt < indexAt || end < filterAt {
		return fmt.Errorf("footer is damaged")
	}
	tail := make([]byte, end-indexAt)
	if _, err := s.f.ReadAt(tail, indexAt); err != nil {
		return err
	}
	if distkit.Hash(tail) != binary.LittleEndian.Uint64(footer[16:]) {
		return fmt.Errorf("index or filter is damaged")
	}
	for index := tail[:filterAt-indexAt]; len(index) > 0; {
		first, rest, ok := cutBytes(index)
		if !ok || len(rest) < 20 {
			return fmt.Errorf("index is damaged")
		}
		s.index = append(s.index, block{
			first:  string(first),
			offset: int64(binary.LittleEndian.Uint64(rest)),
			length: int(binary.LittleEndian.Uint32(rest[8:])),
			sum:    binary.LittleEndian.Uint64(rest[12:]),
		})
		index = rest[20:]
	}
	return s.filter.UnmarshalBinary(tail[filterAt-indexAt:])
}

// get returns the value of key, which is part of a block. h is the key's hash;
// read says whether the filter let the read through.
func (s *segment) get(key string, h uint64, cache *lru.Concurrent[blockID, []byte]) (value []byte, ok, read bool, err error) {
	if !s.filter.ContainsHash(h) {
		return nil, false, false, nil
	}
	i := sort.Search(len(s.index), func(i int) bool { return s.index[i].first > key }) - 1
	if i < 0 {
		return nil, false, false, nil
	}
	id := blockID{s.number, uint32(i)}
	data, ok := cache.Get(id)
	if !ok {
		if data, err = s.read(i); err != nil {
			return nil, false, true, err
		}
		cache.Set(id, data)
	}
	for k, v := range s.entries(i, data, &err) {
		if k == key {
			return v, true, true, nil
		}
	}
	return nil, false, true, err
}

// all yields every entry in ascending order; err tells why it ended early.
func (s *segment) all(err *error) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for i := range s.index {
			data, e := s.read(i)
			if e != nil {
				*err = e
				return
			}
			for k, v := range s.entries(i, data, err) {
				if !yield(k, v) {
					return
				}
			}
			if *err != nil {
				return
			}
		}
	}
}

// read returns block i, after its checksum.
func (s *segment) read(i int) ([]byte, error) {
	b := s.index[i]
	data := make([]byte, b.length)
	if _, err := s.f.ReadAt(data, b.offset); err != nil {
		return nil, fmt.Errorf("segment %s, block at %d: %w", s.path, b.offset, err)
	}
	if distkit.Hash(data) != b.sum {
		return nil, fmt.Errorf("segment %s, block at %d: checksum is wrong", s.path, b.offset)
	}
	return data, nil
}

// entries yields what is in data, which is block i.
func (s *segment) entries(i int, data []byte, err *error) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(data) > 0 {
			key, rest, ok := cutBytes(data)
			entry, rest, ok2 := cutBytes(rest)
			value, ok3 := decodeValue(entry)
			if !ok || !ok2 || !ok3 {
				*err = fmt.Errorf("segment %s, block at %d: %w", s.path, s.index[i].offset, io.ErrUnexpectedEOF)
				return
			}
			if !yield(string(key), value) {
				return
			}
			data = rest
		}
	}
}

// mergeSegments yields every key of the segments, oldest first, in ascending
// order with its newest value.
func mergeSegments(segments []*segment, err *error) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		type cursor struct {
			key   string
			value []byte
			ok    bool
			next  func() (string, []byte, bool)
		}
		cursors := make([]*cursor, len(segments))
		for i, seg := range segments {
			next, stop := iter.Pull2(seg.all(err))
			defer stop()
			c := &cursor{next: next}
			c.key, c.value, c.ok = next()
			cursors[i] = c
		}
		for {
			var least *cursor
			for _, c := range cursors {
				if c.ok && (least == nil || c.key <= least.key) { // <=: the newer one
					least = c
				}
			}
			if least == nil || *err != nil {
				return
			}
			key, value := least.key, least.value
			for _, c := range cursors {
				if c.ok && c.key == key {
					c.key, c.value, c.ok = c.next()
				}
			}
			if !yield(key, value) {
				return
			}
		}
	}
}

func (s *segment) close() error { return s.f.Close() }
