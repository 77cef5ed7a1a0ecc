//go:build !purego

package lru

import (
	"hash/maphash"
	"unsafe"
)

// sum returns the hash of key. Its kind is known since New; reading the key in
// place avoids an interface and covers named types.
func (h *hasher[K]) sum(key K) uint64 {
	p := unsafe.Pointer(&key)
	switch h.mode {
	case hashInt64:
		return h.integer(*(*uint64)(p))
	case hashString:
		return maphash.String(h.seed, *(*string)(p))
	case hashInt32:
		return h.integer(uint64(*(*uint32)(p)))
	case hashCustom:
		return h.custom(key)
	case hashPlace:
		return uint64(*(*uint32)(p))
	case hashAny:
		return maphash.Comparable(h.seed, key)
	case hashInt16:
		return h.integer(uint64(*(*uint16)(p)))
	case hashInt8:
		return h.integer(uint64(*(*uint8)(p)))
	}
	return 0
}

// viewed returns key as a K, which is string, without a copy. It is for looking
// up only.
func viewed[K comparable](key []byte) K {
	s := unsafe.String(unsafe.SliceData(key), len(key))
	return *(*K)(unsafe.Pointer(&s))
}
