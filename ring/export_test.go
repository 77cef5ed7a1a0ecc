package ring

// Layout returns how r is laid out in memory, for tests that it depends on the
// membership alone.
func Layout(r *Ring) any { return []any{r.idx, r.ids, r.nodes, r.zones} }

// LogTables returns the tables behind NegLog2.
func LogTables() (logs, inverses [256]uint64) { return logTable, logInverse }

// NegLog2 returns -log2(u/2^64) in units of 2^-57.
func NegLog2(u uint64) uint64 { return negLog2(u) }

// Times returns x/w as a number that compares like it.
func Times(x uint64, w float64) uint64 { return newInverse(w).times(x) }

// Fill returns the table that nodes fill whose permutations begin at next and
// go on by skip, all at the same pace.
func Fill(size int, next, skip []uint32) []uint16 {
	turns := make([]turn, len(next))
	for i := range turns {
		turns[i] = turn{next: next[i], skip: skip[i], pace: fullPace}
	}
	return fill(size, turns)
}

// DecodeFewTokens lowers the bounds on what an image may stand for, until undone.
func DecodeFewTokens() (undo func()) {
	all, each := decodedTokens, decodedTokensPerNode
	decodedTokens, decodedTokensPerNode = 1<<14, 1<<10
	return func() { decodedTokens, decodedTokensPerNode = all, each }
}
