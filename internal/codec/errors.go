package codec

import (
	"errors"
	"fmt"
)

// ErrCorrupt says that bytes are not what the format demands: damaged, cut
// short, too long, of another kind, or of a version that this release does not
// read. Every package exports this one value as its own ErrCorrupt.
var ErrCorrupt = errors.New("distkit: corrupt encoding")

// ErrIncompatible says that two values are sound each but do not go together:
// other parameters, another secret, or an image larger than the receiver's
// limit. Every package exports this one value as its own ErrIncompatible.
var ErrIncompatible = errors.New("distkit: incompatible parameters")

// failure reads as a sentence of the package that failed and is, by errors.Is,
// the sentinel and whatever its cause wraps.
type failure struct {
	text            string
	sentinel, cause error
}

func (f *failure) Error() string   { return f.text }
func (f *failure) Unwrap() []error { return []error{f.sentinel, f.cause} }

// Corrupt returns an [ErrCorrupt] of k's package that says what is wrong, as in
// "bloom: corrupt encoding: m is 12, want a multiple of 512". The format is
// fmt.Errorf's, %w included.
func Corrupt(k Kind, format string, args ...any) error {
	return CorruptIn(k.pkg(), format, args...)
}

// CorruptIn is [Corrupt] for a package whose encoding is not in the envelope.
func CorruptIn(pkg, format string, args ...any) error {
	cause := fmt.Errorf(format, args...)
	return &failure{pkg + ": corrupt encoding: " + cause.Error(), ErrCorrupt, cause}
}

// Incompatible returns an [ErrIncompatible] of package pkg that says what does
// not fit, as in "bloom: incompatible: 4096 blocks and 6000 blocks".
func Incompatible(pkg, format string, args ...any) error {
	cause := fmt.Errorf(format, args...)
	return &failure{pkg + ": incompatible: " + cause.Error(), ErrIncompatible, cause}
}
