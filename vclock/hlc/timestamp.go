package hlc

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/vclock"
)

// ErrCorrupt says that bytes are not a timestamp. It is one value for all
// packages of distkit.
var ErrCorrupt = vclock.ErrCorrupt

// ErrDrift says that a remote timestamp is too far in the future to be
// believed. The clock that was asked to follow it has not changed.
var ErrDrift = vclock.ErrDrift

const (
	logicalBits = 12
	maxMicros   = 1<<(64-logicalBits) - 1
)

// Timestamp is a moment of a hybrid logical clock: microseconds since 1970 in
// the upper 52 bits, and a counter of 12 bits below. Timestamps are compared and
// sorted as the numbers they are. The zero Timestamp is before all others and
// means none.
type Timestamp uint64

// TimestampOf returns the timestamp of t, cut to microseconds, with the counter
// logical. A counter above 4095 carries into the time. Times before 1970 give
// the first timestamps, times after the year 2112 the last.
func TimestampOf(t time.Time, logical uint16) Timestamp {
	base := micros(t) << logicalBits
	return Timestamp(base + min(uint64(logical), math.MaxUint64-base))
}

// micros returns the microseconds since 1970 that a timestamp can hold.
func micros(t time.Time) uint64 {
	// UnixMicro overflows for years beyond those of any clock, Unix does not.
	switch s := t.Unix(); {
	case s < 0:
		return 0
	case s > maxMicros/1_000_000:
		return maxMicros
	}
	return min(uint64(t.UnixMicro()), maxMicros)
}

// Time returns the wall time of the timestamp in UTC, with microseconds.
func (t Timestamp) Time() time.Time { return time.UnixMicro(int64(t >> logicalBits)).UTC() }

// Logical returns the counter, 0 to 4095.
func (t Timestamp) Logical() uint16 { return uint16(t & (1<<logicalBits - 1)) }

// String returns the text form: 16 hexadecimal digits.
func (t Timestamp) String() string {
	text, _ := t.MarshalText()
	return string(text)
}

// AppendBinary appends the eight bytes of the timestamp, big-endian. It never
// fails.
func (t Timestamp) AppendBinary(dst []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, uint64(t)), nil
}

// MarshalBinary returns what AppendBinary appends.
func (t Timestamp) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }

// UnmarshalBinary sets t to the timestamp of eight bytes. Any other number of
// bytes is [ErrCorrupt] and leaves t as it was.
func (t *Timestamp) UnmarshalBinary(data []byte) error {
	if len(data) != 8 {
		return codec.CorruptIn("hlc", "timestamp has %d bytes, want 8", len(data))
	}
	*t = Timestamp(binary.BigEndian.Uint64(data))
	return nil
}

// AppendText appends the timestamp as 16 lower-case hexadecimal digits, which
// sort as the timestamps do. It never fails.
func (t Timestamp) AppendText(dst []byte) ([]byte, error) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(t))
	return hex.AppendEncode(dst, b[:]), nil
}

// MarshalText returns what AppendText appends. JSON strings and keys of JSON
// objects use it.
func (t Timestamp) MarshalText() ([]byte, error) { return t.AppendText(nil) }

// UnmarshalText sets t to the timestamp of 16 lower-case hexadecimal digits.
// All else is [ErrCorrupt] and leaves t as it was.
func (t *Timestamp) UnmarshalText(text []byte) error {
	if len(text) != 16 {
		return codec.CorruptIn("hlc", "text of timestamp has %d bytes, want 16", len(text))
	}
	var v Timestamp
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | Timestamp(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | Timestamp(c-'a'+10)
		default:
			return codec.CorruptIn("hlc", "text of timestamp is %q, want lower-case hexadecimal digits", text)
		}
	}
	*t = v
	return nil
}
