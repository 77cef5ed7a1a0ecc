//go:build !purego && !race

package bloom

import "unsafe"

// The assembly handles a block as one 256-bit register. It reads type blocks by
// the offsets of go_asm.h, and leaves to the portable code what it is not for: a
// machine without AVX2 and a zero value. Under -race all is portable, so that
// the detector sees it.

// useAVX2 is read by the assembly.
var useAVX2 = detectAVX2()

//go:noescape
func contains(b *blocks, h uint64) bool

//go:noescape
func add(b *blocks, h uint64) bool

// containsMany writes out[i] for the n hashes at hs and returns how many are
// present. There are blocks.
//
//go:noescape
func containsMany(b *blocks, hs *uint64, n int, out *bool) (present int)

//go:noescape
func addMany(b *blocks, hs *uint64, n int)

// containsOne says whether one of the blocks at group, n >= 1 of them, has the
// bits of a mixed hash.
//
//go:noescape
func containsOne(group *uint64, n int, h uint64) bool

func containsAny(group []uint64, h uint64) bool {
	if !useAVX2 {
		return containsAnyGo(group, h)
	}
	return containsOne(&group[0], len(group)/blockWords, h)
}

// batch is how many keys one call of the assembly takes: it cannot be preempted.
const batch = 4096

func containsBatch(b *blocks, out []bool, hs []uint64) (present int) {
	if !useAVX2 || len(b.words) == 0 {
		return containsBatchGo(b, out, hs)
	}
	for len(hs) > 0 {
		n := min(batch, len(hs))
		present += containsMany(b, &hs[0], n, &out[:n][0])
		hs, out = hs[n:], out[n:]
	}
	return present
}

func addBatch(b *blocks, hs []uint64) {
	if !useAVX2 || len(b.words) == 0 {
		addBatchGo(b, hs)
		return
	}
	for len(hs) > 0 {
		n := min(batch, len(hs))
		addMany(b, &hs[0], n)
		hs = hs[n:]
	}
}

// containsShared is contains while others add: 64-bit loads are atomic on this
// machine, and a wider one that is torn can only miss bits of an Add that has
// not returned.
func containsShared(b *blocks, h uint64) bool { return contains(b, h) }

func containsSharedBatch(b *blocks, out []bool, hs []uint64) int { return containsBatch(b, out, hs) }

// containsBytes is contains for encoded blocks. This machine is little-endian
// and loads words from any address.
func containsBytes(bitset []byte, raw bool, h uint64) bool {
	return contains(&blocks{wordsOf(bitset), raw}, h)
}

func containsBytesBatch(bitset []byte, raw bool, out []bool, hs []uint64) int {
	return containsBatch(&blocks{wordsOf(bitset), raw}, out, hs)
}

func wordsOf(b []byte) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/8)
}

// detectAVX2 asks the processor, and the system whether it saves the registers.
func detectAVX2() bool {
	const osxsave, avx, avx2, xmmAndYmm = 1 << 27, 1 << 28, 1 << 5, 1<<1 | 1<<2
	if leaves, _, _, _ := cpuid(0, 0); leaves < 7 {
		return false
	}
	if _, _, c, _ := cpuid(1, 0); c&osxsave == 0 || c&avx == 0 {
		return false
	}
	if xgetbv()&xmmAndYmm != xmmAndYmm {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

func xgetbv() uint32
