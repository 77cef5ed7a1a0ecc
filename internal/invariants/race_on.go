//go:build race

package invariants

// Race is true in programs that the race detector watches.
const Race = true
