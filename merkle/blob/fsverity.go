package blob

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math/bits"

	"github.com/distkit/distkit/merkle"
)

const (
	minVerityBlock = 1 << 10
	maxVerityBlock = 64 << 10
	maxVeritySalt  = 32
)

// FSVerityDigest returns the digest that Linux's fs-verity gives a file of size
// bytes, which it reads from r: what `fsverity digest` prints and
// FS_IOC_MEASURE_VERITY measures, with SHA-256. The block size is a power of two
// from 1024 to 65536, usually 4096; the salt has at most 32 bytes, usually none.
// A source that ends before size bytes is io.ErrUnexpectedEOF. It takes memory of
// a few blocks.
//
// The format is in the kernel's Documentation/filesystems/fsverity.rst.
func FSVerityDigest(r io.Reader, size int64, blockSize int, salt []byte) (merkle.Hash, error) {
	switch {
	case size < 0:
		return merkle.Hash{}, fmt.Errorf("blob: size is %d, want at least 0", size)
	case blockSize < minVerityBlock || blockSize > maxVerityBlock || bits.OnesCount(uint(blockSize)) != 1:
		return merkle.Hash{}, fmt.Errorf("blob: block size is %d, want a power of two from %d to %d", blockSize, minVerityBlock, maxVerityBlock)
	case len(salt) > maxVeritySalt:
		return merkle.Hash{}, fmt.Errorf("blob: salt of %d bytes, want at most %d", len(salt), maxVeritySalt)
	}
	t := verity{h: sha256.New(), blockSize: blockSize}
	if len(salt) > 0 { // it fills whole blocks of the hash
		t.salt = make([]byte, sha256.BlockSize)
		copy(t.salt, salt)
	}
	buf := make([]byte, blockSize)
	for left := size; left > 0; {
		n := min(left, int64(blockSize))
		if _, err := io.ReadFull(r, buf[:n]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return merkle.Hash{}, fmt.Errorf("blob: reading %d bytes, %d to come: %w", size, left, err)
		}
		clear(buf[n:])
		t.add(0, buf)
		left -= n
	}
	root := t.root()

	// struct fsverity_descriptor
	var d [256]byte
	d[0] = 1 // version
	d[1] = 1 // SHA-256
	d[2] = byte(bits.TrailingZeros(uint(blockSize)))
	d[3] = byte(len(salt))
	binary.LittleEndian.PutUint64(d[8:], uint64(size))
	copy(d[16:], root[:])
	copy(d[80:], salt)
	return sha256.Sum256(d[:]), nil
}

// verity is a tree of which each level has one block that is not full yet.
type verity struct {
	h         hash.Hash
	salt      []byte
	blockSize int
	levels    [][]byte // levels[i] has hashes of blocks of level i-1, levels[0] of data
}

// add puts the hash of a full block below level i into its block.
func (t *verity) add(i int, block []byte) {
	if i == len(t.levels) {
		t.levels = append(t.levels, make([]byte, 0, t.blockSize))
	}
	t.h.Reset()
	t.h.Write(t.salt)
	t.h.Write(block)
	t.levels[i] = t.h.Sum(t.levels[i])
	if len(t.levels[i]) == t.blockSize {
		t.add(i+1, t.levels[i])
		t.levels[i] = t.levels[i][:0]
	}
}

// root fills up the blocks that are not full, from the lowest, until one hash is
// left. Of an empty file it is zero.
func (t *verity) root() (root merkle.Hash) {
	for i := 0; i < len(t.levels); i++ {
		level := t.levels[i]
		if i == len(t.levels)-1 && len(level) == merkle.HashSize {
			return merkle.Hash(level)
		}
		if len(level) > 0 {
			block := level[:t.blockSize]
			clear(block[len(level):])
			t.add(i+1, block)
		}
	}
	return root
}
