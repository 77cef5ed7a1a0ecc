package vclock

import (
	"errors"

	"github.com/distkit/distkit/internal/codec"
)

// ErrCorrupt says that bytes or text are not the canonical encoding of a value
// of this package. It is one value for all packages of distkit.
var ErrCorrupt = codec.ErrCorrupt

// ErrDrift says that a remote clock is too far ahead to be believed. The clock
// that was asked to follow it has not changed.
var ErrDrift = errors.New("vclock: remote clock is too far ahead")

// ErrFull says that a buffer holds as many messages as it may. The message has
// not been taken.
var ErrFull = errors.New("vclock: buffer is full")

// corrupt is an ErrCorrupt that says what is wrong.
func corrupt(format string, args ...any) error {
	return codec.CorruptIn("vclock", format, args...)
}
