//go:build !purego

package hash64

import "unsafe"

// Key returns the XXH64 (seed 0) of k's bytes for any string or byte-slice
// type, named ones included, without copying or allocating.
func Key[K ~string | ~[]byte](k K) uint64 {
	// A slice header begins with the two words of a string header, and the
	// hash only reads while k lives on this frame.
	return String(*(*string)(unsafe.Pointer(&k)))
}

// view returns b as a string that is valid while b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
