package hll

func (s *Sketch) Registers() []uint8 { return s.regs }

// Tokens returns the tokens of a sparse sketch in order.
func (s *Sketch) Tokens() []uint32 { return s.tokens.sorted() }

// FromRegisters returns a dense sketch with these registers.
func FromRegisters(regs []uint8, p uint8) *Sketch {
	s := &Sketch{p: p, regs: regs}
	s.stats = count(regs, s.q())
	return s
}

// SumsAreRight reports whether the sums kept are those of the registers.
func (s *Sketch) SumsAreRight() bool {
	return len(s.regs) == 0 || s.stale || s.stats == count(s.regs, s.q())
}

// CountsAreRight reports whether the counts kept are those of the tokens, and the
// table is not too full.
func (s *Sketch) CountsAreRight() bool {
	var t tokens
	for token := range s.tokens.all {
		t.addSlowly(token, 1<<20)
	}
	return t.n == s.tokens.n && t.counts == s.tokens.counts && 4*t.n <= 3*len(s.tokens.slots)
}

var (
	Limit     = limit
	Solve     = solve
	TokenOf   = tokenOf
	TokenHash = tokenHash
	RaiseAll  = raiseAll
)

// EncodeTokens returns the code of tokens, in order or not.
func EncodeTokens(tokens []uint32) []byte { return tokenCode(tokens).appendTo(nil) }

// RawEstimate is the estimate from registers whose number by value is given.
func RawEstimate(p uint8, counts []uint32) float64 {
	var s stats
	for k, n := range counts {
		s.add(64-p, uint8(k), n)
	}
	return s.estimate(p)
}

// ExaFromRegisters returns a dense sketch with these registers.
func ExaFromRegisters(regs []uint32, p uint8) *ExaLogLog {
	return &ExaLogLog{p: p, regs: regs, sums: exaCount(regs, p)}
}

func (e *ExaLogLog) Registers() []uint32 { return e.regs }

// SumsAreRight reports whether the sums kept are those of the registers.
func (e *ExaLogLog) SumsAreRight() bool {
	return len(e.regs) == 0 || e.stale || e.sums == exaCount(e.regs, e.p)
}

func (r *Redis) Registers() []uint8 { return r.s.regs }

func Murmur64A(key string, seed uint64) uint64 { return murmur64A(key, seed) }

// UnionIsRight reports whether the union kept is that of the panes.
func (w *Window) UnionIsRight() bool {
	u := &Sketch{p: w.p, keyed: w.keyed}
	for i := range w.panes {
		u.include(&w.panes[i])
	}
	return u.Equal(w.union) || u.Estimate() == 0 && w.union.IsEmpty()
}
