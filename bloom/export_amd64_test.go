//go:build !purego && !race

package bloom

// WithoutAVX2 runs f as on a machine without it.
func WithoutAVX2(f func()) {
	was := useAVX2
	useAVX2 = false
	defer func() { useAVX2 = was }()
	f()
}
