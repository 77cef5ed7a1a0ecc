package vclock

import (
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/vclock"
)

func siblingBars() []bar.Bar {
	var s vclock.Siblings[string]
	for _, id := range []string{"node-000", "node-001", "node-002"} {
		s, _ = s.Put(vclock.Clock{}, id, "v")
	}
	read := s.Context()
	return []bar.Bar{
		{
			Name: "Siblings.Put/n=3",
			Ours: side("distkit", func() uint64 {
				after, dot := s.Put(read, "node-001", "w")
				written = after
				return dot.N
			}),
			Plus: 300, Allocs: 3,
		},
		{
			Name: "Siblings.Put blind/n=3",
			Ours: side("distkit", func() uint64 {
				after, dot := s.Put(vclock.Clock{}, "node-001", "w")
				written = after
				return dot.N
			}),
			Plus: 300, Allocs: 3,
		},
	}
}

var written vclock.Siblings[string]
