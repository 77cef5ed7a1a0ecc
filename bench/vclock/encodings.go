package vclock

import (
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/vclock"
)

// escaped keeps results on the heap, as those of a program would be.
var (
	escaped      vclock.Clock
	escapedMap   VClock
	escapedBytes []byte
)

// size makes a result depend on the whole operation.
func size(c vclock.Clock) uint64 {
	escaped = c
	return 1
}

func entries(m VClock) uint64 {
	escapedMap = m
	return 1
}

func three() pair { return clocks(3, func(i int) uint64 { return uint64(1000 + i) }) }

func encodingBars() []bar.Bar {
	p := three()
	bin, err := p.c.MarshalBinary()
	if err != nil {
		panic(err)
	}
	gobbed := p.m.encode()
	var buf []byte
	return []bar.Bar{
		{
			Name: "AppendBinary/n=3",
			Ours: side("distkit", func() uint64 {
				buf, _ = p.c.AppendBinary(buf[:0])
				return uint64(len(buf))
			}),
			Peer: side("map+gob", func() uint64 {
				escapedBytes = p.m.encode()
				return uint64(len(escapedBytes))
			}),
			Limit: 0.01,
		},
		{
			Name: "UnmarshalBinary/n=3",
			Ours: side("distkit", func() uint64 {
				var c vclock.Clock
				if err := c.UnmarshalBinary(bin); err != nil {
					panic(err)
				}
				return size(c)
			}),
			Peer:  side("map+gob", func() uint64 { return entries(decode(gobbed)) }),
			Limit: 0.01, Allocs: 1,
		},
	}
}

func sizeFigures() []bar.Figure {
	p := three()
	bin, _ := p.c.MarshalBinary()
	return []bar.Figure{
		{Name: "binary/n=3 of gob", Unit: "%", Limit: 65, Measure: func() float64 { return 100 * float64(len(bin)) / float64(len(p.m.encode())) }},
		{Name: "binary/n=3", Unit: "B", Limit: 40, Measure: func() float64 { return float64(len(bin)) }},
	}
}
