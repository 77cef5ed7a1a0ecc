//go:build !amd64 || purego || race

package bloom

// WithoutAVX2 runs f, since there is none in this build.
func WithoutAVX2(f func()) { f() }
