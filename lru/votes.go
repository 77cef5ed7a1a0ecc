package lru

import "sync/atomic"

// votes is where the models of all shards of a Concurrent, or those of a Cache, decide
// which manner is best: a shard alone knows little, and might be wrong.
type votes struct {
	voters uint64 // shards
	mode   atomic.Uint32
	// gains are the hits that another manner had more, at least since it had less.
	gains [len(manners)]atomic.Int64
}

func newVotes(voters int) *votes { return &votes{voters: uint64(voters)} }

// choose makes mode the manner.
func (v *votes) choose(mode int) {
	v.mode.Store(uint32(mode))
	for k := range v.gains {
		v.gains[k].Store(0)
	}
}

// cast counts which of the models of a shard had a key, where that of the manner in use
// is mode and each has that much room. It returns the manner to be used.
func (v *votes) cast(hits [len(manners)]bool, mode int, room uint64) int {
	best, most := mode, int64(room*v.voters)
	for k := range hits {
		g := &v.gains[k]
		switch {
		case hits[k] && !hits[mode]:
			g.Add(1)
		case !hits[k] && hits[mode] && g.Load() > 0:
			g.Add(-1)
		}
		if n := g.Load(); n > most {
			best, most = k, n
		}
	}
	return best
}
