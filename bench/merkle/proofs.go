package merkle

import (
	"encoding/binary"

	"github.com/distkit/distkit/bench/bar"
)

// proofBars are those of tlog, blob and smt.
func proofBars() []bar.Bar {
	bars := append(logBars(), logProofBars()...)
	bars = append(bars, blobBars()...)
	return append(bars, mapBars()...)
}

func proofFigures() []bar.Figure { return append(logFigures(), blobFigures()...) }

// always repeats an operation that is numbered.
func always(impl string, prepare func() func(i uint64) uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		op, i := prepare(), uint64(0)
		return func(n int) (sum uint64) {
			for range n {
				sum += op(i)
				i++
			}
			return sum
		}
	}}
}

// scattered is a number below n that jumps with i.
func scattered(i, n uint64) uint64 { return i * 0x9E3779B97F4A7C15 >> 20 % n }

// number writes i into the first bytes of buf.
func number(buf []byte, i uint64) []byte {
	binary.LittleEndian.PutUint64(buf, i)
	return buf
}

// must ends a benchmark whose work fails.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
