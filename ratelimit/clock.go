package ratelimit

import "time"

// An instant is an int64: nanoseconds since the origin, which lies past ns before
// the process began. Instants of limiters lie in [0, horizon], from 73 years ago to
// 36 years ahead; what is outside is taken to its nearer end.
const (
	past    = int64(1) << 61
	horizon = int64(3) << 60
)

// longest is a window that ends, and the one after it, before instants overflow.
const longest = 73 * 365 * day

var processStart = time.Now()

// instant returns t as an instant, by the monotonic clock where t has its reading.
func instant(t time.Time) int64 { return within(int64(t.Sub(processStart))) }

// within returns the instant that lies d nanoseconds after the process began.
func within(d int64) int64 { return max(-past, min(d, horizon-past)) + past }

// clock reads the time: the monotonic clock, or what a user gave.
type clock struct {
	read   func() time.Duration
	offset int64 // from its readings to nanoseconds since the process began
}

// newClock ties the readings of read, which may be nil, to the monotonic clock
// as it stands now.
func newClock(read func() time.Duration) clock {
	if read == nil {
		return clock{}
	}
	return clock{read, int64(time.Since(processStart)) - int64(read())}
}

func (c *clock) now() int64 {
	if c.read != nil {
		return within(int64(c.read()) + c.offset)
	}
	return int64(time.Since(processStart)) + past
}
