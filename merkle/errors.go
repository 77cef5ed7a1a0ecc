package merkle

import (
	"errors"

	"github.com/distkit/distkit/internal/codec"
)

// What this package and those below it return, wrapped with details.
var (
	// ErrCorrupt says that bytes are not what the format demands. It is one value
	// for all packages of distkit.
	ErrCorrupt = codec.ErrCorrupt

	// ErrIncompatible says that two sound values do not go together: trees with
	// other secrets, ranges that the other side does not serve, trees to join that
	// share a position. It is one value for all packages of distkit.
	ErrIncompatible = codec.ErrIncompatible

	// ErrProof says that a proof does not verify.
	ErrProof = errors.New("merkle: proof does not verify")

	// ErrRange says that an index or a size is not in the tree.
	ErrRange = errors.New("merkle: index or size out of range")

	// ErrLimit says that a session would exceed a limit: [WithMaxDiffs], the length
	// of a message, or the number of messages that an honest peer needs.
	ErrLimit = errors.New("merkle: limit exceeded")
)

// corrupt is an ErrCorrupt that says what is wrong.
func corrupt(format string, args ...any) error {
	return codec.CorruptIn("merkle", format, args...)
}

// incompatible is an ErrIncompatible that says what does not fit.
func incompatible(format string, args ...any) error {
	return codec.Incompatible("merkle", format, args...)
}
