package ratelimit

// A sliding window of so many events that both counts and the index of the window do
// not fit a word keeps the count of the window before in rule.prev, under a lock. In
// a short period those are more than 32,767 a second; only a Limiter has such.

// serveWide answers q, unless c is frozen.
func (c *core) serveWide(q request) (a answer, ok bool) {
	c.wide.Lock()
	defer c.wide.Unlock()
	v := c.word.Load()
	if v == frozen {
		return a, false
	}
	w, a := c.rule.serve(v, q)
	a.era = c.era
	c.word.Store(w)
	return a, true
}

// freeze ends the use of c, and returns its rule and its word as they were.
func (c *core) freeze() (r rule, v int64) {
	if c.kind == kindWide {
		c.wide.Lock()
		defer c.wide.Unlock()
	}
	v = c.word.Swap(frozen)
	return c.rule, v
}

// refundWide gives back the n events of a reservation for instant act, unless c is
// frozen.
func (c *core) refundWide(act, n int64) bool {
	c.wide.Lock()
	defer c.wide.Unlock()
	v := c.word.Load()
	if v == frozen {
		return false
	}
	c.word.Store(c.refund(v, act, n))
	return true
}
