package blob

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
)

// Descriptor says what a blob is: all that a receiver must trust to verify every
// chunk of it. The root alone does not do, for it does not commit to the size:
// publish the descriptor, or its [Descriptor.ID].
type Descriptor struct {
	Profile   Profile
	ChunkSize uint32      // bytes; the last chunk may be shorter
	Size      uint64      // bytes of the whole blob
	Root      merkle.Hash // of an empty blob tlog.EmptyRoot, or zero under BitTorrentV2
}

// Chunks returns the number of chunks, 0 for a descriptor that is none.
func (d Descriptor) Chunks() uint64 {
	if d.Size == 0 || d.ChunkSize == 0 {
		return 0
	}
	return (d.Size-1)/uint64(d.ChunkSize) + 1
}

// Bounds returns where a chunk begins and ends in the blob, so that its bytes are
// data[start:end]. Beyond the last chunk both are the size.
func (d Descriptor) Bounds(chunk uint64) (start, end uint64) {
	if chunk >= d.Chunks() {
		return d.Size, d.Size
	}
	start = chunk * uint64(d.ChunkSize)
	return start, start + min(uint64(d.ChunkSize), d.Size-start)
}

// ID returns a hash that commits to all of d: SHA-256(0x02 || image of d). It is
// the zero Hash if d is no descriptor of a blob.
func (d Descriptor) ID() merkle.Hash {
	b, err := d.AppendBinary([]byte{idPrefix})
	if err != nil {
		return merkle.Hash{}
	}
	return sha256.Sum256(b)
}

// idPrefix keeps identities apart from leaves (0) and nodes (1).
const idPrefix = 2

const (
	descriptorVersion = 0
	descriptorParams  = 3 // profile, chunk size, size
)

// MarshalBinary returns the image of d. It fails if d is no descriptor of a blob.
func (d Descriptor) MarshalBinary() ([]byte, error) { return d.AppendBinary(nil) }

// AppendBinary appends the image of d to dst, with at most one allocation.
func (d Descriptor) AppendBinary(dst []byte) ([]byte, error) {
	if err := d.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = codec.AppendHeader(dst, codec.Header{
		Kind: codec.BlobDescr, Version: descriptorVersion,
		Params: []uint64{uint64(d.Profile), uint64(d.ChunkSize), d.Size},
	}, len(d.Root))
	return codec.AppendSum(append(dst, d.Root[:]...), start), nil
}

// UnmarshalBinary makes d the descriptor whose image is exactly data. Anything
// else is merkle.ErrCorrupt and leaves d as it was.
func (d *Descriptor) UnmarshalBinary(data []byte) error {
	h, payload, err := codec.Parse(data, codec.BlobDescr, descriptorVersion)
	if err != nil {
		return err
	}
	if err := h.Check(0, descriptorParams, 0); err != nil {
		return err
	}
	if len(payload) != merkle.HashSize {
		return codec.Corrupt(h.Kind, "payload of %d bytes, want a root of %d", len(payload), merkle.HashSize)
	}
	if h.Params[0] > math.MaxUint8 || h.Params[1] > math.MaxUint32 {
		return codec.Corrupt(h.Kind, "profile %d and chunk size %d, want 8 and 32 bits", h.Params[0], h.Params[1])
	}
	got := Descriptor{Profile(h.Params[0]), uint32(h.Params[1]), h.Params[2], merkle.Hash(payload)}
	if err := got.check(); err != nil {
		return codec.Corrupt(h.Kind, "%w", err)
	}
	*d = got
	return nil
}

// check tells whether a blob can have d.
func (d Descriptor) check() error {
	if err := checkShape(d.Profile, uint64(d.ChunkSize)); err != nil {
		return err
	}
	if d.Size > math.MaxInt64 {
		return fmt.Errorf("blob: size is %d, want at most 2^63-1", d.Size)
	}
	switch {
	case d.Size > 0 && d.Root.IsZero():
		return errors.New("blob: root is zero, which is the hash of nothing")
	case d.Size == 0 && d.Root != emptyRoots[d.Profile]:
		return fmt.Errorf("blob: root of an empty blob is %v, want %v", d.Root, emptyRoots[d.Profile])
	}
	return nil
}

// emptyRoots are the roots of empty blobs. BEP 52 gives an empty file none.
var emptyRoots = [...]merkle.Hash{RFC9162: tlog.EmptyRoot(), BitTorrentV2: {}}
