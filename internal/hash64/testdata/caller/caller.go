// Package caller instantiates the generic hash, whose inlining can only be seen
// in a package that calls it.
package caller

import "github.com/distkit/distkit/internal/hash64"

// ID hashes an id.
func ID(i uint32) uint64 { return hash64.Integer(i) }
