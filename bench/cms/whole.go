package cms

import (
	"bytes"

	"github.com/apache/datasketches-go/count"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
	boom "github.com/tylertreat/BoomFilters"
)

func filled() *cms.Sketch {
	c := sketch(small)
	for _, h := range users().hashes {
		c.AddHash(h)
	}
	return c
}

func boomFilled() *boom.CountMinSketch {
	c := boomSketch(small)
	for _, k := range users().keys {
		c.Add(k)
	}
	return c
}

func dsFilled() *count.CountMinSketch {
	c := datasketch(small)
	for _, k := range users().keys {
		if err := c.Update(k, 1); err != nil {
			panic(err)
		}
	}
	return c
}

// repeated is a side of one operation on whole sketches.
func repeated(impl string, build func() func() uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		once := build()
		return func(n int) (sum uint64) {
			for range n {
				sum += once()
			}
			return sum
		}
	}}
}

// whole are the bars of what goes over all counters.
func whole() []bar.Bar {
	merge := repeated("distkit", func() func() uint64 {
		a, b := sketch(small), filled()
		return func() uint64 {
			if err := a.Merge(b); err != nil {
				panic(err)
			}
			return a.Total()
		}
	})
	return []bar.Bar{
		{Name: "Merge/eps=1e-3", Limit: 0.4, Ours: merge, Peer: repeated("BoomFilters", func() func() uint64 {
			a, b := boomSketch(small), boomFilled()
			return func() uint64 {
				if err := a.Merge(b); err != nil {
					panic(err)
				}
				return a.TotalCount()
			}
		})},
		{Name: "Merge/eps=1e-3", Limit: 0.7, Ours: merge, Peer: repeated("datasketches", func() func() uint64 {
			a, b := datasketch(small), dsFilled()
			return func() uint64 {
				if err := a.Merge(b); err != nil {
					panic(err)
				}
				return uint64(a.GetTotalWeight())
			}
		})},
		{Name: "AppendBinary/eps=1e-3", Limit: 0.05, Ours: repeated("distkit", func() func() uint64 {
			c, buf := filled(), []byte(nil)
			return func() uint64 {
				buf = check(c.AppendBinary(buf[:0]))
				return uint64(len(buf))
			}
		}), Peer: repeated("BoomFilters", func() func() uint64 {
			c, buf := boomFilled(), new(bytes.Buffer)
			return func() uint64 {
				buf.Reset()
				return uint64(check(c.WriteDataTo(buf)))
			}
		})},
	}
}

// wire is how long images are.
func wire() []bar.Figure {
	return []bar.Figure{{
		Name: "image/eps=1e-3", Unit: "of datasketches' bytes", Limit: 0.55, Measure: func() float64 {
			var theirs bytes.Buffer
			if err := dsFilled().Serialize(&theirs); err != nil {
				panic(err)
			}
			return float64(len(check(filled().MarshalBinary()))) / float64(theirs.Len())
		},
	}}
}
