//go:build !invariants && !race

package invariants

// Enabled is a constant, so that `if invariants.Enabled { ... }` costs nothing
// when it is off. Build with -race or -tags invariants to turn it on.
const Enabled = false
