package vclock

// Enc opens the canonical string to the invariants check.
func (c Clock) Enc() string { return c.enc }

// Validate opens the check of decoders.
func Validate(enc string) error { return validate([]byte(enc)) }
