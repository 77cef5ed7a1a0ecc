// Package cms holds the sketches to their bars against those that Go programs use.
// The stream is 2^20 keys "user:<id>" by a Zipf distribution of exponent 1.1 over
// 2^22 ids, laid out in memory in the order of their coming; sizes are by epsilon
// and a delta of 0.01, so that peers with counters of 64 bits take twice the memory.
package cms

import (
	"strconv"
	"sync"
	"unsafe"

	"github.com/apache/datasketches-go/count"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	boom "github.com/tylertreat/BoomFilters"
)

// Suite returns the bars of package cms.
func Suite() bar.Suite {
	s := bar.Suite{Package: "cms"}
	for _, bars := range [][]bar.Bar{adding(), counting(), whole(), leading(), timed(), shared()} {
		s.Bars = append(s.Bars, bars...)
	}
	for _, figures := range [][]bar.Figure{accuracy(), wire(), leaders(), races()} {
		s.Figures = append(s.Figures, figures...)
	}
	return s
}

const (
	small = 1e-3 // 5 rows of 2,719 counters, in the second cache
	large = 1e-6 // 5 rows of 2.7 million: 54 MB, and 109 MB for the peers
	delta = 0.01
	draws = 1 << 20
)

// stream is what all sides are fed with.
type stream struct {
	ids    []uint64
	keys   [][]byte
	texts  []string // the same memory
	hashes []uint64
	truth  map[uint64]uint64
}

var users = sync.OnceValue(func() *stream {
	s := &stream{truth: map[uint64]uint64{}}
	next := testkit.Zipf(1, 1.1, 1<<22)
	buf := make([]byte, 0, 16*draws)
	for range draws {
		id, start := next(), len(buf)
		buf = strconv.AppendUint(append(buf, "user:"...), id, 10)
		key := buf[start:len(buf):len(buf)]
		s.ids, s.keys, s.hashes = append(s.ids, id), append(s.keys, key), append(s.hashes, hash64.Bytes(key))
		s.texts = append(s.texts, unsafe.String(unsafe.SliceData(key), len(key)))
		s.truth[id]++
	}
	return s
})

func userKey(id uint64) []byte { return strconv.AppendUint([]byte("user:"), id, 10) }

// side feeds the keys of the stream, in turn, to what build returns, once around
// before the clock starts, so that memory is there and no key is new.
func side(impl string, build func() func(s *stream, i int) uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		s, add := users(), build()
		for i := range draws {
			add(s, i)
		}
		at := 0
		return func(n int) (sum uint64) {
			for range n {
				sum += add(s, at&(draws-1))
				at++
			}
			return sum
		}
	}}
}

func sketch(epsilon float64, opts ...cms.Option) *cms.Sketch {
	return check(cms.New(epsilon, delta, opts...))
}

// datasketch returns a sketch of the size of ours: its own formulas are the same.
func datasketch(epsilon float64) *count.CountMinSketch {
	return check(count.NewCountMinSketch(check(count.SuggestNumHashes(1-delta)), check(count.SuggestNumBuckets(epsilon)), 1))
}

// dsSeeded is one with hashes of its own.
func dsSeeded(seed int64) *count.CountMinSketch {
	return check(count.NewCountMinSketch(check(count.SuggestNumHashes(1-delta)), check(count.SuggestNumBuckets(small)), 1+seed))
}

func boomSketch(epsilon float64) *boom.CountMinSketch { return boom.NewCountMinSketch(epsilon, delta) }

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
