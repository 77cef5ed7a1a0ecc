package lru

import (
	"hash/maphash"
	"math/bits"
	"reflect"

	"github.com/distkit/distkit/internal/hash64"
)

// hasher hashes keys, under a secret of its cache unless the user gave a
// function. Integers go through two multiplications, which is three times as
// fast as the hash for keys of any type.
type hasher[K comparable] struct {
	mode   hashMode
	key    [4]uint64
	seed   maphash.Seed
	custom func(K) uint64
}

type hashMode uint8

const (
	hashNothing hashMode = iota // a zero cache
	hashAny
	hashString
	hashInt8
	hashInt16
	hashInt32
	hashInt64
	hashCustom
	hashPlace // of models, whose keys are places
)

func newHasher[K comparable](custom func(K) uint64) hasher[K] {
	h := hasher[K]{mode: modeFor(reflect.TypeFor[K]()), seed: maphash.MakeSeed(), custom: custom}
	for i := range h.key {
		h.key[i] = maphash.Comparable(h.seed, i) | 1
	}
	if custom != nil {
		h.mode = hashCustom
	}
	return h
}

func modeFor(t reflect.Type) hashMode {
	switch t.Kind() {
	case reflect.String:
		return hashString
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return map[uintptr]hashMode{1: hashInt8, 2: hashInt16, 4: hashInt32, 8: hashInt64}[t.Size()]
	}
	return hashAny
}

// repeatable says whether a key always has the same hash, so that none need be
// stored: a user's function may lie, and a NaN hashes to another value each time.
func (h *hasher[K]) repeatable() bool { return h.mode >= hashInt8 && h.mode <= hashInt64 }

func (h *hasher[K]) integer(x uint64) uint64 {
	hi, lo := bits.Mul64(x^h.key[0], h.key[1])
	hi, lo = bits.Mul64(hi^lo^h.key[2], h.key[3])
	return hi ^ lo
}

// place returns the 32 bits by which the table finds a place for hash sum. What
// users compute is remixed: on a shard chosen by the same hash, some bits of all
// sums agree.
func (h *hasher[K]) place(sum uint64) uint32 { return uint32(h.mixed(sum)) }

// mixed returns 64 bits of which the lower half is the place, and the upper half
// independent of it.
func (h *hasher[K]) mixed(sum uint64) uint64 {
	if h.mode == hashCustom {
		return hash64.Mix(sum, h.key[0])
	}
	return sum
}
