package tlog

import (
	"fmt"
	"math/bits"

	"github.com/distkit/distkit/merkle"
)

// View is a [Log] at one moment, as [Log.Snapshot] returns it. It never changes,
// and any number of goroutines may use it, beside the one that appends to the
// log. Its methods are those of Log. The zero View is the empty log.
type View struct {
	s    *store // nil if empty
	size uint64
}

// Size is [Log.Size].
func (v *View) Size() uint64 { return v.size }

// Root is [Log.Root].
func (v *View) Root() merkle.Hash {
	if v.size == 0 {
		return EmptyRoot()
	}
	return v.s.hash(0, v.size)
}

// RootAt is [Log.RootAt].
func (v *View) RootAt(size uint64) (merkle.Hash, error) {
	if err := v.holds(size); err != nil {
		return merkle.Hash{}, err
	}
	at := View{v.s, size}
	return at.Root(), nil
}

// Leaf is [Log.Leaf].
func (v *View) Leaf(index uint64) (merkle.Hash, error) {
	if err := checkIndex(index, 0, v.size); err != nil {
		return merkle.Hash{}, err
	}
	return *v.s.node(0, index), nil
}

// Inclusion is [Log.Inclusion].
func (v *View) Inclusion(index, size uint64) ([]merkle.Hash, error) {
	return v.AppendInclusion(nil, index, size)
}

// AppendInclusion is [Log.AppendInclusion].
func (v *View) AppendInclusion(dst []merkle.Hash, index, size uint64) ([]merkle.Hash, error) {
	if err := v.holds(size); err != nil {
		return dst, err
	}
	if err := checkIndex(index, 0, size); err != nil {
		return dst, err
	}
	return v.s.appendPath(dst, index, index+1, 0, size), nil
}

// Consistency is [Log.Consistency].
func (v *View) Consistency(oldSize, newSize uint64) ([]merkle.Hash, error) {
	return v.AppendConsistency(nil, oldSize, newSize)
}

// AppendConsistency is [Log.AppendConsistency].
func (v *View) AppendConsistency(dst []merkle.Hash, oldSize, newSize uint64) ([]merkle.Hash, error) {
	if err := v.holds(newSize); err != nil {
		return dst, err
	}
	if err := checkSizes(oldSize, newSize); err != nil {
		return dst, err
	}
	return v.s.appendPath(dst, 0, oldSize, 0, newSize), nil
}

// SubtreeInclusion is [Log.SubtreeInclusion].
func (v *View) SubtreeInclusion(start, end, index uint64) ([]merkle.Hash, error) {
	if err := checkSubtree(start, end, v.size); err != nil {
		return nil, err
	}
	if err := checkIndex(index, start, end); err != nil {
		return nil, err
	}
	return v.s.appendPath(nil, index, index+1, start, end), nil
}

// SubtreeConsistency is [Log.SubtreeConsistency].
func (v *View) SubtreeConsistency(start, end, size uint64) ([]merkle.Hash, error) {
	if err := v.holds(size); err != nil {
		return nil, err
	}
	if err := checkSubtree(start, end, size); err != nil || start == end {
		return nil, err
	}
	return v.s.appendPath(nil, start, end, 0, size), nil
}

// SubtreeRoot is [Log.SubtreeRoot].
func (v *View) SubtreeRoot(start, end uint64) (merkle.Hash, error) {
	if err := checkSubtree(start, end, v.size); err != nil {
		return merkle.Hash{}, err
	}
	if start == end {
		return EmptyRoot(), nil
	}
	return v.s.hash(start, end), nil
}

// Batch is [Log.Batch].
func (v *View) Batch(size uint64, indexes ...uint64) ([]merkle.Hash, error) {
	if err := v.holds(size); err != nil {
		return nil, err
	}
	if err := checkIndexes(indexes, size); err != nil {
		return nil, err
	}
	return v.s.appendBatch(nil, indexes, 0, size), nil
}

// Frontier is [Log.Frontier].
func (v *View) Frontier() *Frontier {
	f := &Frontier{end: v.size}
	for left := v.size; left > 0; left &^= 1 << (bits.Len64(left) - 1) {
		level := bits.Len64(left) - 1
		f.hashes = append(f.hashes, *v.s.node(level, v.size>>level-1))
	}
	return f
}

func (v *View) holds(size uint64) error {
	if size > v.size {
		return outOfRange("size is %d, want at most %d", size, v.size)
	}
	return nil
}

// outOfRange is a merkle.ErrRange that says what is wrong.
func outOfRange(format string, args ...any) error {
	return fmt.Errorf("tlog: "+format+": %w", append(args, merkle.ErrRange)...)
}

func checkIndex(index, start, end uint64) error {
	if index < start || index >= end {
		return outOfRange("index is %d, want one of [%d, %d)", index, start, end)
	}
	return nil
}

func checkSizes(oldSize, newSize uint64) error {
	if oldSize == 0 || oldSize > newSize {
		return outOfRange("old size is %d, want 1 to %d", oldSize, newSize)
	}
	return nil
}

func checkSubtree(start, end, size uint64) error {
	if start > end || end > size {
		return outOfRange("subtree is [%d, %d), want entries below %d", start, end, size)
	}
	if start == end {
		return nil
	}
	// The shift of a length above 2^63 gives 0, and the mask all bits: then start
	// must be 0.
	if start&(1<<bits.Len64(end-start-1)-1) != 0 {
		return outOfRange("subtree is [%d, %d), want a start that is a multiple of %d", start, end, uint64(1)<<bits.Len64(end-start-1))
	}
	return nil
}

func checkIndexes(indexes []uint64, size uint64) error {
	if len(indexes) == 0 {
		return outOfRange("batch of no indexes, want one at least")
	}
	for i, index := range indexes {
		if err := checkIndex(index, 0, size); err != nil {
			return err
		}
		if i > 0 && index <= indexes[i-1] {
			return outOfRange("index %d follows %d, want them ascending", index, indexes[i-1])
		}
	}
	return nil
}
