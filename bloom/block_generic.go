//go:build !amd64 || purego || race

package bloom

import (
	"encoding/binary"
	"sync/atomic"
)

func contains(b *blocks, h uint64) bool { return containsGo(b, h) }

func add(b *blocks, h uint64) bool { return addGo(b, h) }

func containsBatch(b *blocks, out []bool, hs []uint64) int { return containsBatchGo(b, out, hs) }

func addBatch(b *blocks, hs []uint64) { addBatchGo(b, hs) }

func containsAny(group []uint64, h uint64) bool { return containsAnyGo(group, h) }

// containsAtomic is contains while others add.
func containsAtomic(b *blocks, h uint64) bool {
	if len(b.words) == 0 {
		return false
	}
	h = b.mixed(h)
	w := block(b.words, h)
	m0, m1, m2, m3 := masks(uint32(h))
	return m0&^atomic.LoadUint64(&w[0])|m1&^atomic.LoadUint64(&w[1])|
		m2&^atomic.LoadUint64(&w[2])|m3&^atomic.LoadUint64(&w[3]) == 0
}

func containsShared(b *blocks, h uint64) bool { return containsAtomic(b, h) }

func containsSharedBatch(b *blocks, out []bool, hs []uint64) (present int) {
	for i, h := range hs {
		out[i] = containsAtomic(b, h)
		if out[i] {
			present++
		}
	}
	return present
}

// containsBytes is contains for encoded blocks, at any address and on machines
// of any byte order.
func containsBytes(bitset []byte, raw bool, h uint64) bool {
	b := blocks{raw: raw}
	h = b.mixed(h)
	at := (h >> 32) * uint64(len(bitset)/blockBytes) >> 32 * blockBytes
	w := bitset[at : at+blockBytes]
	m0, m1, m2, m3 := masks(uint32(h))
	return m0&^binary.LittleEndian.Uint64(w)|m1&^binary.LittleEndian.Uint64(w[8:])|
		m2&^binary.LittleEndian.Uint64(w[16:])|m3&^binary.LittleEndian.Uint64(w[24:]) == 0
}

func containsBytesBatch(bitset []byte, raw bool, out []bool, hs []uint64) (present int) {
	for i, h := range hs {
		out[i] = containsBytes(bitset, raw, h)
		if out[i] {
			present++
		}
	}
	return present
}
