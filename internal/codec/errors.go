package codec

import "errors"

// ErrCorrupt says that bytes are not what the format demands: damaged, cut
// short, too long, of another kind, or of a version that this release does not
// read. Every package exports this one value as its own ErrCorrupt.
var ErrCorrupt = errors.New("distkit: corrupt encoding")

// ErrIncompatible says that two values are sound each but do not go together:
// other parameters, another secret, or an image larger than the receiver's
// limit. Every package exports this one value as its own ErrIncompatible.
var ErrIncompatible = errors.New("distkit: incompatible parameters")
