package cms

import (
	"fmt"
	"math"
)

const (
	maxDepth = 16
	maxWidth = 1 << 32
	maxBytes = 1 << 40 // of counters
)

// sizeFor returns the width and depth of a sketch whose estimates exceed the
// truth by more than epsilon times the total with a probability of at most delta
// (Cormode and Muthukrishnan 2005, theorem 1).
func sizeFor(epsilon, delta float64) (width, depth uint64, err error) {
	if !(epsilon > 0 && epsilon < 1) {
		return 0, 0, fmt.Errorf("cms: epsilon is %g, want 0 < epsilon < 1", epsilon)
	}
	if !(delta > 0 && delta < 1) {
		return 0, 0, fmt.Errorf("cms: delta is %g, want 0 < delta < 1", delta)
	}
	w, d := math.Ceil(math.E/epsilon), math.Ceil(-math.Log(delta))
	if w > maxWidth {
		return 0, 0, fmt.Errorf("cms: epsilon is %g, which needs %.3g counters a row, want at most 2^32", epsilon, w)
	}
	if d > maxDepth {
		return 0, 0, fmt.Errorf("cms: delta is %g, which needs %g rows, want at most %d", delta, d, maxDepth)
	}
	return uint64(w), uint64(max(d, 1)), nil
}

// checkSize returns an error for counters that no sketch may have, or that this
// machine cannot address.
func checkSize(width, depth, counterBytes uint64) error {
	if width == 0 || width > maxWidth {
		return fmt.Errorf("cms: width is %d, want 1 to 2^32", width)
	}
	if depth == 0 || depth > maxDepth {
		return fmt.Errorf("cms: depth is %d, want 1 to %d", depth, maxDepth)
	}
	if bytes := width * depth * counterBytes; bytes > maxBytes || bytes > math.MaxInt {
		return fmt.Errorf("cms: %d rows of %d counters need %d bytes, want at most %d", depth, width, bytes, min(maxBytes, uint64(math.MaxInt)))
	}
	return nil
}

func counterBytes(wide bool) uint64 {
	if wide {
		return 8
	}
	return 4
}

// epsilon returns the share of the total that an estimate exceeds the truth by in
// rows of that width, seldom.
func epsilon(width uint64) float64 {
	if width == 0 {
		return 0
	}
	return math.E / float64(width)
}

// errorBound returns epsilon times the total, rounded up.
func errorBound(width, total uint64) uint64 {
	b := math.Ceil(epsilon(width) * float64(total))
	if b >= 1<<64 {
		return math.MaxUint64
	}
	return uint64(b)
}
