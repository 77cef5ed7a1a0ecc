//go:build !(amd64 || arm64) || purego

package bloom

import "encoding/binary"

// load64 returns the 8 bytes of b from at on, little-endian.
func load64(b []byte, at uint64) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
