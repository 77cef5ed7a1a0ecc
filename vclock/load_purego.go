//go:build purego || !(386 || amd64 || arm64 || loong64 || ppc64le || riscv64 || wasm)

package vclock

// text is a string; see load.go.
type text = string

func textOf(s string) text { return s }

func byteAt(t text, i int) uint64 { return uint64(t[i]) }

func wordAt(t text, i int) uint64 {
	t = t[i : i+8]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}
