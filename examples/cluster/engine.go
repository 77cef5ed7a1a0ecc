package main

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// boltEngine is a node.Engine on a bbolt file. A write waits in memory, where it
// is read at once, until a transaction takes it to the file together with all
// that came meanwhile: one sync for as many writes as there are.
type boltEngine struct {
	db   *bbolt.DB
	wake chan struct{}
	done sync.WaitGroup

	mu      sync.RWMutex
	next    *batch // of the writes to come
	current *batch // what is being written, or nil
	err     error  // the first failed transaction; the engine takes nothing after it
	closed  bool

	reads, found atomic.Uint64
}

// batch is what one transaction changes.
type batch struct {
	changes map[string]change
	written chan struct{} // closed when err is known
	err     error
}

// change is a new value of a key, or its end.
type change struct {
	value []byte
	gone  bool
}

func newBatch() *batch { return &batch{changes: map[string]change{}, written: make(chan struct{})} }

func (b *batch) apply(all map[string][]byte) {
	for key, c := range b.changes {
		if c.gone {
			delete(all, key)
		} else {
			all[key] = c.value
		}
	}
}

// end tells all who wait what became of the batch.
func (b *batch) end(err error) {
	b.err = err
	close(b.written)
}

var bucketName = []byte("keys")

// lockTimeout is how long to wait for another process that has the file.
const lockTimeout = time.Second

// maxKey is the longest key: bbolt's less one byte, without which a key could be
// empty, which bbolt does not take.
const maxKey = bbolt.MaxKeySize - 1

// openEngine opens or makes the file in dir.
func openEngine(dir string, fsync node.Fsync) (_ node.Engine, err error) {
	if fsync != node.FsyncGroup && fsync != node.FsyncOff {
		return nil, fmt.Errorf("fsync is %q, want %s or %s: a sync for every write is not worth its time", fsync, node.FsyncGroup, node.FsyncOff)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "keys.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: lockTimeout, NoSync: fsync == node.FsyncOff, FreelistType: bbolt.FreelistMapType,
	})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucketName)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), db.Close())
	}
	e := &boltEngine{db: db, wake: make(chan struct{}, 1), next: newBatch()}
	e.done.Go(e.write)
	return e, nil
}

func stored(key string) []byte { return append([]byte{'k'}, key...) }

func (e *boltEngine) Get(key string) (value []byte, ok bool, err error) {
	e.reads.Add(1)
	e.mu.RLock()
	if e.closed {
		e.mu.RUnlock()
		return nil, false, os.ErrClosed
	}
	for _, b := range []*batch{e.next, e.current} {
		if b == nil {
			continue
		}
		if c, ok := b.changes[key]; ok {
			e.mu.RUnlock()
			return c.value, !c.gone, nil
		}
	}
	// What is in neither batch is in the file, or nowhere.
	e.mu.RUnlock()
	err = e.db.View(func(tx *bbolt.Tx) error {
		if mapped := tx.Bucket(bucketName).Get(stored(key)); mapped != nil {
			value, ok = bytes.Clone(mapped), true // the map ends with the transaction
			e.found.Add(1)
		}
		return nil
	})
	return value, ok, gone(err)
}

// gone translates what bbolt says of a file that was closed meanwhile.
func gone(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return os.ErrClosed
	}
	return err
}

func (e *boltEngine) Put(key string, value []byte) (durable func() error, err error) {
	if len(key) > maxKey {
		return nil, fmt.Errorf("key has %d bytes, want at most %d", len(key), maxKey)
	}
	b, err := e.note(key, change{value: value})
	if err != nil {
		return nil, err
	}
	return func() error {
		<-b.written
		return b.err
	}, nil
}

func (e *boltEngine) Delete(key string) error {
	if len(key) > maxKey {
		return nil // there can be none
	}
	_, err := e.note(key, change{gone: true})
	return err
}

// note adds a change to the batch that comes next, and returns that.
func (e *boltEngine) note(key string, c change) (*batch, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, os.ErrClosed
	case e.err != nil:
		return nil, e.err
	}
	e.next.changes[key] = c
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return e.next, nil
}

// write writes batch after batch, each as large as it has grown while the one
// before was written.
func (e *boltEngine) write() {
	for range e.wake {
		e.mu.Lock()
		b := e.next
		e.next, e.current = newBatch(), b
		err := e.err
		e.mu.Unlock()
		if err == nil {
			err = e.commit(b)
		}
		e.mu.Lock()
		if e.current = nil; e.err == nil {
			e.err = err
		}
		e.mu.Unlock()
		b.end(err)
	}
}

func (e *boltEngine) commit(b *batch) error {
	if len(b.changes) == 0 {
		return nil
	}
	return e.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(bucketName)
		var err error
		for key, c := range b.changes {
			if c.gone {
				err = errors.Join(err, bucket.Delete(stored(key)))
			} else {
				err = errors.Join(err, bucket.Put(stored(key), c.value))
			}
		}
		return err
	})
}

func (e *boltEngine) All() (iter.Seq2[string, []byte], error) {
	e.mu.RLock()
	defer e.mu.RUnlock() // to the end, so that no batch ends between the file and memory
	if e.closed {
		return nil, os.ErrClosed
	}
	all := map[string][]byte{}
	err := e.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketName).ForEach(func(key, value []byte) error {
			all[string(key[1:])] = bytes.Clone(value)
			return nil
		})
	})
	for _, b := range []*batch{e.current, e.next} {
		if b != nil {
			b.apply(all)
		}
	}
	return maps.All(all), gone(err)
}

// Stats counts reads. There are no segments, and the file's cache is the
// operating system's.
func (e *boltEngine) Stats() node.EngineStats {
	return node.EngineStats{Reads: e.reads.Load(), DiskReads: e.found.Load()}
}

// Close writes what waits, or with died lets it go.
func (e *boltEngine) Close(died bool) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	close(e.wake) // under the lock: Put sends under it, and not after closed
	e.mu.Unlock()
	e.done.Wait()
	last := e.next
	err := e.err
	switch {
	case err != nil:
	case died:
		err = nil
		last.end(os.ErrClosed)
		return e.db.Close()
	default:
		err = e.commit(last)
	}
	last.end(err)
	return errors.Join(err, e.db.Close())
}
