package lru

import "fmt"

// Reason says why an entry left.
type Reason uint8

const (
	Capacity Reason = iota // evicted for room, by Resize or by Evict
	Expired                // its lifetime ended
	Deleted                // by Delete, DeleteFunc or Update
	Replaced               // by a new value of its key, refused ones included
	Cleared                // by Clear
)

// String returns the name of r, as in "capacity".
func (r Reason) String() string {
	switch r {
	case Capacity:
		return "capacity"
	case Expired:
		return "expired"
	case Deleted:
		return "deleted"
	case Replaced:
		return "replaced"
	case Cleared:
		return "cleared"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}
