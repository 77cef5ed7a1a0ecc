//go:build purego

package lru

import "hash/maphash"

// sum returns the hash of key.
func (h *hasher[K]) sum(key K) uint64 {
	switch h.mode {
	case hashNothing:
		return 0
	case hashCustom:
		return h.custom(key)
	case hashPlace:
		return uint64(any(key).(uint32))
	}
	return maphash.Comparable(h.seed, key)
}

// viewed returns key as a K, which is string.
func viewed[K comparable](key []byte) K { return any(string(key)).(K) }
