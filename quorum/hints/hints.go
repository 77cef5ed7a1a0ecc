package hints

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

var (
	// ErrFull says that a hint would exceed a bound of the store.
	ErrFull = errors.New("hints: store is full")

	// ErrCorrupt says that stored bytes are damaged.
	ErrCorrupt = codec.ErrCorrupt

	// ErrBusy says that another replay for the same owner is under way.
	ErrBusy = errors.New("hints: a replay for this owner is under way")

	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("hints: store is closed")
)

// Hint is a write that a node keeps for its owner. Its key and value are the
// caller's: a value with its version, or a whole request.
type Hint struct {
	ID    uint64 // set by the store: ascending, never used twice
	Owner string
	Key   string
	Value []byte
	At    time.Time // set by the store; a Log keeps milliseconds
}

// Store keeps hints until they are delivered. [Memory] and [Log] are Stores;
// both are safe for concurrent use.
type Store interface {
	// PutAt stores a hint; it copies h.Value. ErrFull says that a bound is
	// reached, and that the write has one copy less.
	PutAt(now time.Time, h Hint) error
	// Owners lists those for whom hints wait, sorted.
	Owners() []string
	// Pending iterates over the hints that wait for the owner now, oldest first.
	// Put and Done may go on meanwhile. A Value must not be changed.
	Pending(owner string) iter.Seq[Hint]
	// Done deletes a hint: call it only when the owner has acknowledged. A hint
	// that is gone is no error.
	Done(owner string, id uint64) error
	// Close ends the store.
	Close() error
}

// Stats counts what a store holds, and what became of hints since it was made.
type Stats struct {
	Hints     int    // that wait
	Owners    int    // for whom
	Bytes     int64  // held: memory, or the size of the segment files
	Stored    uint64 // accepted
	Delivered uint64 // deleted by Done
	Expired   uint64 // deleted by a replay because they were too old
	Refused   uint64 // by a bound, or for an unknown owner
	Damaged   uint64 // records that were found damaged
}

// checkHint reports what no store accepts.
func checkHint(h Hint) error {
	if h.Owner == "" {
		return fmt.Errorf("hints: owner of a hint for key %q is empty", h.Key)
	}
	return nil
}
