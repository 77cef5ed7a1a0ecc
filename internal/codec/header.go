package codec

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"
)

const (
	magic0, magic1 = 0xD1, 0x6B
	maxParams      = 15
	fixedSize      = 8 // magic to A
	lenSize        = 8
	sumSize        = 8
	minSize        = fixedSize + lenSize + sumSize
)

// Header is what stands before the payload.
type Header struct {
	Kind    Kind
	Version byte
	Must    byte // flags that a reader must understand
	May     byte // flags that a reader may ignore
	Align   byte // log2 of the payload's alignment: 0, 3 or 6
	Params  []uint64
}

// size returns the number of bytes before the payload, padding included.
func (h Header) size() int {
	n := fixedSize + 8*len(h.Params) + lenSize
	a := 1 << h.Align
	return (n + a - 1) &^ (a - 1)
}

// Size returns the length of the whole image with a payload of that many bytes.
func (h Header) Size(payload int) int { return h.size() + payload + sumSize }

// Check compares h with what its kind expects: the flags that it knows, the
// number of parameters and the alignment. The error is [ErrCorrupt].
func (h Header) Check(must byte, params int, align byte) error {
	switch {
	case h.Must&^must != 0:
		return Corrupt(h.Kind, "flags are %#02x, want none but %#02x", h.Must, must)
	case len(h.Params) != params:
		return Corrupt(h.Kind, "%d parameters, want %d", len(h.Params), params)
	case h.Align != align:
		return Corrupt(h.Kind, "alignment is 2^%d, want 2^%d", h.Align, align)
	}
	return nil
}

// AppendHeader appends everything before a payload of that many bytes, and
// makes room for the payload and the checksum, so that one allocation does.
func AppendHeader(b []byte, h Header, payload int) []byte {
	return h.append(slices.Grow(b, h.Size(payload)), payload)
}

func (h Header) append(b []byte, payload int) []byte {
	start := len(b)
	b = append(b, magic0, magic1, byte(h.Kind), h.Version, h.Must, h.May, byte(len(h.Params)), h.Align)
	for _, p := range h.Params {
		b = binary.LittleEndian.AppendUint64(b, p)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(payload))
	for len(b)-start < h.size() {
		b = append(b, 0)
	}
	return b
}

// AppendWords appends ws, little-endian.
func AppendWords(b []byte, ws []uint64) []byte {
	n := len(b)
	b = slices.Grow(b, 8*len(ws))[:n+8*len(ws)]
	for dst := b[n:]; len(ws) > 0; dst, ws = dst[8:], ws[1:] {
		binary.LittleEndian.PutUint64(dst, ws[0])
	}
	return b
}

// Words returns the words of a payload, whose length must be a multiple of 8.
func Words(payload []byte) []uint64 {
	ws := make([]uint64, len(payload)/8)
	for i := range ws {
		ws[i] = binary.LittleEndian.Uint64(payload[8*i:])
	}
	return ws
}

// AppendSum appends the checksum of b[start:] and completes the image.
func AppendSum(b []byte, start int) []byte {
	return binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b[start:]))
}

// Parse checks data as exactly one image of kind k whose version is at most
// maxVersion, and returns its header and its payload, which aliases data. It
// allocates nothing but the parameters. What the kind expects beyond that, the
// caller checks with [Header.Check] and rules of its own.
func Parse(data []byte, k Kind, maxVersion byte) (h Header, payload []byte, err error) {
	if len(data) < minSize {
		return Header{}, nil, Corrupt(k, "%d bytes, want at least %d", len(data), minSize)
	}
	h, err = parseFixed([fixedSize]byte(data), k, maxVersion)
	if err != nil {
		return Header{}, nil, err
	}
	if len(data) < h.size()+sumSize {
		return Header{}, nil, Corrupt(k, "%d bytes, want at least %d", len(data), h.size()+sumSize)
	}
	length, err := h.parseRest(data[fixedSize:h.size()])
	if err != nil {
		return Header{}, nil, err
	}
	if have := len(data) - h.size() - sumSize; have != length {
		return Header{}, nil, Corrupt(k, "payload of %d bytes, header says %d", have, length)
	}
	body, sum := data[:len(data)-sumSize], binary.LittleEndian.Uint64(data[len(data)-sumSize:])
	if got := xxhash.Sum64(body); got != sum {
		return Header{}, nil, Corrupt(k, "checksum is %016x, want %016x", got, sum)
	}
	return h, body[h.size():], nil
}

// parseFixed reads the first eight bytes; Params has its length, not its values.
func parseFixed(b [fixedSize]byte, k Kind, maxVersion byte) (Header, error) {
	h := Header{Kind: Kind(b[2]), Version: b[3], Must: b[4], May: b[5], Align: b[7]}
	switch {
	case b[0] != magic0 || b[1] != magic1:
		return h, Corrupt(k, "begins with %#02x %#02x, want %#02x %#02x", b[0], b[1], magic0, magic1)
	case h.Kind != k:
		return h, Corrupt(k, "holds %v, want %v", h.Kind, k)
	case h.Version > maxVersion:
		return h, Corrupt(k, "version %d is newer than %d", h.Version, maxVersion)
	case b[6] > maxParams:
		return h, Corrupt(k, "%d parameters, want at most %d", b[6], maxParams)
	case h.Align != 0 && h.Align != 3 && h.Align != 6:
		return h, Corrupt(k, "alignment is 2^%d, want 2^0, 2^3 or 2^6", h.Align)
	}
	h.Params = make([]uint64, b[6])
	return h, nil
}

// parseRest reads the parameters, the payload's length and the padding.
func (h Header) parseRest(b []byte) (length int, err error) {
	for i := range h.Params {
		h.Params[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	b = b[8*len(h.Params):]
	n := binary.LittleEndian.Uint64(b)
	if n > math.MaxInt-uint64(h.size()+sumSize) {
		return 0, Corrupt(h.Kind, "payload of %d bytes is more than this machine can hold", n)
	}
	for _, c := range b[lenSize:] {
		if c != 0 {
			return 0, Corrupt(h.Kind, "padding holds %#02x, want zeros", c)
		}
	}
	return int(n), nil
}

// EncodeText returns the text form of an image: standard base64.
func EncodeText(image []byte) []byte {
	return base64.StdEncoding.AppendEncode(nil, image)
}

// DecodeText returns the image of a text form. Only the one text that
// [EncodeText] gives is accepted.
func DecodeText(k Kind, text []byte) ([]byte, error) {
	image, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return nil, Corrupt(k, "text is not base64: %w", err)
	}
	if base64.StdEncoding.EncodedLen(len(image)) != len(text) {
		return nil, Corrupt(k, "text holds line breaks, want none")
	}
	return image, nil
}
