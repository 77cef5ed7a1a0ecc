//go:build purego

package hash64

// Key returns the XXH64 (seed 0) of k's bytes for any string or byte-slice
// type, named ones included.
func Key[K ~string | ~[]byte](k K) uint64 { return String(string(k)) }

func view(b []byte) string { return string(b) }
