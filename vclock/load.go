//go:build !purego && (386 || amd64 || arm64 || loong64 || ppc64le || riscv64 || wasm)

package vclock

import "unsafe"

// text is a string without its length, for loops whose bounds are known: those
// of an encoding follow from its own bytes, which validate has looked at or this
// package has written. Leaving the checks out makes Compare twice as fast. The
// architectures are those that load words from any address, little end first.
type text = unsafe.Pointer

func textOf(s string) text { return unsafe.Pointer(unsafe.StringData(s)) }

// byteAt returns the byte at t[i:].
func byteAt(t text, i int) uint64 { return uint64(*(*byte)(unsafe.Add(t, i))) }

// wordAt returns the eight bytes at t[i:], the first one lowest.
func wordAt(t text, i int) uint64 { return *(*uint64)(unsafe.Add(t, i)) }
