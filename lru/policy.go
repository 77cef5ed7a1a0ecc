package lru

import "fmt"

// Policy chooses the entry to evict.
type Policy uint8

const (
	// LRU evicts the least recently used entry: the one whose last Get or Set is
	// the oldest. It is the default.
	LRU Policy = iota
)

// String returns the name of p, as in "LRU".
func (p Policy) String() string {
	if p == LRU {
		return "LRU"
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}

// Reason says why an entry left.
type Reason uint8

const (
	Capacity Reason = iota // evicted for room, by Resize or by Evict
	Deleted                // by Delete, DeleteFunc or Update
	Replaced               // by a new value of its key, refused ones included
	Cleared                // by Clear
)

// String returns the name of r, as in "capacity".
func (r Reason) String() string {
	switch r {
	case Capacity:
		return "capacity"
	case Deleted:
		return "deleted"
	case Replaced:
		return "replaced"
	case Cleared:
		return "cleared"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}
