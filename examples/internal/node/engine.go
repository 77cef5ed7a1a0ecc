package node

import "iter"

// Engine is where a node keeps its keys. Put replaces; merging versions is the
// node's business.
type Engine interface {
	// Get returns the value of key, which the caller must not change.
	Get(key string) (value []byte, ok bool, err error)
	// Put makes value the one that Get returns. It keeps value. durable returns
	// when the value would survive a crash, as far as the engine promises that.
	Put(key string, value []byte) (durable func() error, err error)
	// Delete forgets key. A crash may bring it back.
	Delete(key string) error
	// All returns every key once, in any order, as it was at the call.
	All() (iter.Seq2[string, []byte], error)
	// Stats counts what the engine did. What it has not stays 0.
	Stats() EngineStats
	// Close ends the engine; with died, as a crash would.
	Close(died bool) error
}

// EngineStats counts since the engine was opened.
type EngineStats struct {
	Segments   int
	Reads      uint64
	CacheHits  uint64 // blocks that the cache had
	DiskReads  uint64 // blocks that came from the disk
	Skipped    uint64 // reads of a segment that its filter spared
	FalseReads uint64 // reads of a segment that found nothing
}
