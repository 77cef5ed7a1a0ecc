//go:build (amd64 || arm64) && !purego

package bloom

import "unsafe"

// load64 returns the 8 bytes of b from at on, little-endian. They are there: the
// layout that at was computed from is the one that b was made for, or that was
// compared with the length of what was decoded. A query makes three such loads,
// and bounds checks cost it a third more.
func load64(b []byte, at uint64) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at))
}
