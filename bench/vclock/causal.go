package vclock

import (
	"fmt"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/vclock"
)

// causalBars hands a member the messages of three others: in order, and in
// blocks that arrive in reverse.
func causalBars() []bar.Bar {
	return []bar.Bar{
		{Name: "Causal.Receive in order/n=3", Ours: receive(1), Plus: 200, Allocs: 2},
		{Name: "Causal.Receive reversed/n=3", Ours: receive(16), Plus: 1000, Allocs: bar.AnyAllocs},
	}
}

// receive reverses the messages in blocks of that many.
func receive(block int) bar.Side {
	return bar.Side{Impl: "distkit", New: func() func(int) uint64 {
		type mail struct {
			from  string
			stamp vclock.Clock
		}
		var mails []mail
		var members []*vclock.Causal[int]
		for i := range 3 {
			members = append(members, causal(fmt.Sprintf("node-%03d", i)))
		}
		for i := range 3 * 1600 {
			from := fmt.Sprintf("node-%03d", i%3)
			stamp := members[i%3].Send()
			mails = append(mails, mail{from, stamp})
			for j, m := range members {
				if j != i%3 {
					if _, err := m.Receive(from, stamp, i); err != nil {
						panic(err)
					}
				}
			}
		}
		for start := 0; start < len(mails); start += block {
			for i, j := start, start+block-1; i < j; i, j = i+1, j-1 {
				mails[i], mails[j] = mails[j], mails[i]
			}
		}
		return func(n int) (sum uint64) {
			c := causal("receiver")
			for i := range n {
				if i%len(mails) == 0 {
					c = causal("receiver")
				}
				m := mails[i%len(mails)]
				out, err := c.Receive(m.from, m.stamp, i)
				if err != nil {
					panic(err)
				}
				sum += uint64(len(out))
			}
			return sum
		}
	}}
}

func causal(id string) *vclock.Causal[int] {
	c, err := vclock.NewCausal[int](id, 100)
	if err != nil {
		panic(err)
	}
	return c
}
