package merkle

import "encoding/hex"

// HashSize is the length of a [Hash] in bytes.
const HashSize = 32

// Hash is a SHA-256 hash, as the packages below this one make and verify. The
// zero Hash is the hash of nothing that is known.
type Hash [HashSize]byte

// IsZero tells whether h is the zero Hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns h in hexadecimal, 64 characters.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns h in hexadecimal. The error is always nil.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what [Hash.MarshalText] wrote: 64 lower-case hexadecimal
// digits. Anything else is [ErrCorrupt] and leaves h as it was.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*HashSize {
		return corrupt("hash of %d characters, want %d", len(text), 2*HashSize)
	}
	var b Hash
	if _, err := hex.Decode(b[:], text); err != nil {
		return corrupt("hash %q: %w", text, err)
	}
	if b.String() != string(text) {
		return corrupt("hash %q has capitals, want lower-case digits", text)
	}
	*h = b
	return nil
}
