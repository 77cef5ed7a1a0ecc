package vclock

// Enc opens the canonical string to the invariants check.
func (c Clock) Enc() string { return c.enc }

// Validate opens the check of decoders.
func Validate(enc string) error { return validate([]byte(enc)) }

// Set brings a Lamport clock where millions of messages would.
func (l *Lamport) Set(t uint64) { l.last.Store(t) }

// Awaited is the number of messages that others wait for.
func (c *Causal[M]) Awaited() int { return len(c.waiting) }
