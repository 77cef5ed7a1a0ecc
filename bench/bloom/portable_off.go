//go:build !purego

package bloom

import "github.com/distkit/distkit/bench/bar"

// portable are the bars of the portable code: go -C bench run -tags purego.
func portable() []bar.Bar { return nil }
