//go:build !purego

package lru

import (
	"reflect"
	"sync/atomic"
	"unsafe"
)

// mostWords is how large key and value may be together to be copied.
const mostWords = 64

// wordwise says whether key and value can be copied word by word while they change:
// the garbage collector must see a pointer whole.
func wordwise[K comparable, V any]() bool {
	size := reflect.TypeFor[K]().Size() + reflect.TypeFor[V]().Size()
	return size <= mostWords && plain(reflect.TypeFor[K]()) && plain(reflect.TypeFor[V]())
}

// storeWords sets key and value of a node that others read, and leaves the links.
// Words are of 8 bytes if those of all nodes of a slice lie at multiples of 8, else
// of 4, as the links are.
func storeWords[K comparable, V any](to, from *node[K, V]) {
	first, size := unsafe.Offsetof(to.key), unsafe.Sizeof(*to)
	dst, src := unsafe.Pointer(to), unsafe.Pointer(from)
	if (first|size)%8 == 0 {
		for at := first; at < size; at += 8 {
			if w, is := *(*uint64)(unsafe.Add(src, at)), (*uint64)(unsafe.Add(dst, at)); *is != w {
				atomic.StoreUint64(is, w)
			}
		}
		return
	}
	for at := first; at < size; at += 4 {
		if w, is := *(*uint32)(unsafe.Add(src, at)), (*uint32)(unsafe.Add(dst, at)); *is != w {
			atomic.StoreUint32(is, w)
		}
	}
}

// loadWords is the other direction.
func loadWords[K comparable, V any](to, from *node[K, V]) {
	first, size := unsafe.Offsetof(to.key), unsafe.Sizeof(*to)
	dst, src := unsafe.Pointer(to), unsafe.Pointer(from)
	if (first|size)%8 == 0 {
		for at := first; at < size; at += 8 {
			*(*uint64)(unsafe.Add(dst, at)) = atomic.LoadUint64((*uint64)(unsafe.Add(src, at)))
		}
		return
	}
	for at := first; at < size; at += 4 {
		*(*uint32)(unsafe.Add(dst, at)) = atomic.LoadUint32((*uint32)(unsafe.Add(src, at)))
	}
}
