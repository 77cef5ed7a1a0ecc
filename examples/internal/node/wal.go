package node

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"

	"github.com/distkit/distkit"
)

// Fsync says when a write counts as on disk.
type Fsync string

// The promises.
const (
	FsyncAlways Fsync = "always" // every write waits for a sync of its own
	FsyncGroup  Fsync = "group"  // writes that come together share one sync
	FsyncOff    Fsync = "off"    // the operating system decides; a power cut may lose acknowledged writes
)

// wal is the write-ahead log: what it holds is replayed at the next start. A
// record is
//
//	u32  length of the payload
//	u64  XXH64 of the payload
//	     payload: uvarint length of the key, key, then 1 and the value, or 0 if the key is deleted
//
// all little-endian. A crash can cut the last records short; replay stops at the
// first that is not whole and cuts the file there.
type wal struct {
	path  string
	f     *os.File
	fsync Fsync

	mu      sync.Mutex
	synced  *sync.Cond
	written int64 // bytes appended
	durable int64 // bytes known to be on disk
	syncing bool
	err     error // the first failed sync; the log takes nothing after it
	buf     []byte
}

const walHeader = 4 + 8

// openWAL replays the log at path into apply and opens it for appending.
func openWAL(path string, fsync Fsync, apply func(key string, value []byte)) (*wal, error) {
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	whole := replay(data, apply)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if whole < int64(len(data)) {
		err = f.Truncate(whole)
	}
	if err == nil {
		_, err = f.Seek(whole, 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cutting the torn tail of %s at %d: %w", path, whole, err)
	}
	w := &wal{path: path, f: f, fsync: fsync, written: whole, durable: whole}
	w.synced = sync.NewCond(&w.mu)
	return w, nil
}

// replay applies the whole records of data and returns where they end.
func replay(data []byte, apply func(key string, value []byte)) int64 {
	at := 0
	for len(data)-at >= walHeader {
		n := int(binary.LittleEndian.Uint32(data[at:]))
		if n > len(data)-at-walHeader {
			break
		}
		payload := data[at+walHeader : at+walHeader+n]
		if distkit.Hash(payload) != binary.LittleEndian.Uint64(data[at+4:]) {
			break
		}
		klen, m := binary.Uvarint(payload)
		if m <= 0 || klen > uint64(len(payload)-m) {
			break
		}
		value, ok := decodeValue(payload[m+int(klen):])
		if !ok {
			break
		}
		apply(string(payload[m:m+int(klen)]), value)
		at += walHeader + n
	}
	return int64(at)
}

// appendValue appends a value, or that there is none where it is nil.
func appendValue(b, value []byte) []byte {
	if value == nil {
		return append(b, 0)
	}
	return append(append(b, 1), value...)
}

// decodeValue undoes appendValue.
func decodeValue(b []byte) (value []byte, ok bool) {
	if len(b) == 0 || b[0] > 1 || b[0] == 0 && len(b) > 1 {
		return nil, false
	}
	if b[0] == 0 {
		return nil, true
	}
	return b[1:], true
}

// append writes a record and returns the position that sync must reach. The
// caller orders appends.
func (w *wal) append(key string, value []byte) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	b := append(w.buf[:0], make([]byte, walHeader)...)
	b = appendValue(appendBytes(b, key), value)
	binary.LittleEndian.PutUint32(b, uint32(len(b)-walHeader))
	binary.LittleEndian.PutUint64(b[4:], distkit.Hash(b[walHeader:]))
	w.buf = b
	if _, err := w.f.Write(b); err != nil {
		w.err = err // a torn record stands at the end: nothing may follow it
		return 0, err
	}
	w.written += int64(len(b))
	return w.written, nil
}

// sync returns when everything up to pos is on disk, as far as the mode
// promises.
func (w *wal) sync(pos int64) error {
	if w.fsync == FsyncOff {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fsync == FsyncAlways && w.err == nil {
		if w.err = w.f.Sync(); w.err == nil {
			w.durable = w.written
		}
	}
	for w.durable < pos && w.err == nil {
		if w.syncing {
			w.synced.Wait()
			continue
		}
		w.syncing = true
		upTo := w.written
		w.mu.Unlock()
		err := w.f.Sync()
		w.mu.Lock()
		w.syncing = false
		if err != nil {
			w.err = err
		} else {
			w.durable = max(w.durable, upTo)
		}
		w.synced.Broadcast()
	}
	if w.durable >= pos {
		return nil // even if the log has ended since
	}
	return w.err
}

// close ends the log. Unless the process is to look as if it died, all that was
// appended is synced first.
func (w *wal) close(died bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.syncing {
		w.synced.Wait()
	}
	err := w.err
	if err == nil && !died && w.fsync != FsyncOff {
		if err = w.f.Sync(); err == nil {
			w.durable = w.written
		}
	}
	if w.err == nil {
		w.err = os.ErrClosed
	}
	w.synced.Broadcast()
	if err2 := w.f.Close(); err == nil {
		err = err2
	}
	return err
}
