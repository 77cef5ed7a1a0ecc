package hints

import (
	"errors"
	"fmt"
	"time"
)

// Option configures what [Open] returns.
type Option func(*config)

type config struct {
	total, perOwner int64
	known           func(string) bool
	sync            time.Duration
	err             error
}

// WithMaxBytes bounds the segment files, of all owners and of each, both > 0.
// Bytes of hints that are done count until their segment is deleted. Default
// 1 GiB and 256 MiB.
func WithMaxBytes(total, perOwner int64) Option {
	return func(c *config) {
		if c.total, c.perOwner = total, perOwner; total <= 0 || perOwner <= 0 {
			c.err = fmt.Errorf("hints: bytes are at most %d, for an owner %d, want > 0", total, perOwner)
		}
	}
}

// WithKnownOwner refuses hints for owners for whom f is false, so that a
// stranger cannot make the store keep hints for names that do not exist.
// Default: all are known.
func WithKnownOwner(f func(owner string) bool) Option {
	return func(c *config) {
		if c.known = f; f == nil {
			c.err = errors.New("hints: WithKnownOwner(nil), want a function")
		}
	}
}

// WithSync sets when hints reach the disk: 0 before PutAt returns (default;
// concurrent calls share an fsync), > 0 at least so often, < 0 when the
// operating system pleases.
func WithSync(every time.Duration) Option { return func(c *config) { c.sync = every } }

// segmentBytes is when a segment is closed and the next begun: small enough
// that eight fit within the bounds.
func (c *config) segmentBytes() int64 { return min(8<<20, c.total/8, c.perOwner/8) }
