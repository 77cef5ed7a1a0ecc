package quorum

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
	raft "go.etcd.io/raft/v3/quorum"
)

// outcome is etcd's result as ours.
func outcome(r raft.VoteResult) expr.Outcome {
	return map[raft.VoteResult]expr.Outcome{raft.VotePending: expr.Pending, raft.VoteWon: expr.Won, raft.VoteLost: expr.Lost}[r]
}

// voters is a configuration as etcd and as we have it: the ids are the bits of
// set, and 1 more.
func voters(set uint) (raft.MajorityConfig, expr.Expr) {
	config := raft.MajorityConfig{}
	var nodes []expr.Expr
	for id := range uint64(64) {
		if set>>id&1 == 1 {
			config[id+1] = struct{}{}
			nodes = append(nodes, expr.Node(fmt.Sprint("v", id+1)))
		}
	}
	return config, expr.Majority(nodes...)
}

// election is votes of n in all forms.
type election struct {
	votes   map[uint64]bool
	yes, no []string
	masks   [2]uint64
}

// elect reads the votes from the digits of code in base three.
func elect(n, code int) election {
	e := election{votes: map[uint64]bool{}}
	for id := range uint64(n) {
		switch name := fmt.Sprint("v", id+1); code % 3 {
		case 1:
			e.votes[id+1] = true
			e.yes, e.masks[0] = append(e.yes, name), e.masks[0]|1<<id
		case 2:
			e.votes[id+1] = false
			e.no, e.masks[1] = append(e.no, name), e.masks[1]|1<<id
		}
		code /= 3
	}
	return e
}

// TestEveryElectionOfFive compares Expr.Decide and Rule.Decide with VoteResult of
// etcd's raft, for every majority and every joint configuration of up to five
// voters and every state of the votes. The empty configuration, which etcd
// defines as won, is an error here.
func TestEveryElectionOfFive(t *testing.T) {
	const n = 5
	all := []string{"v1", "v2", "v3", "v4", "v5"}
	var elections []election
	for code := range 243 {
		elections = append(elections, elect(n, code))
	}
	tally := map[expr.Outcome]int{}
	for old := uint(1); old < 1<<n; old++ {
		for next := range uint(1 << n) {
			c0, e := voters(old)
			c1 := raft.MajorityConfig{}
			if next > 0 {
				var after expr.Expr
				c1, after = voters(next)
				e = expr.All(e, after)
			}
			rule, err := e.Compile(all)
			require.NoError(t, err)
			for _, x := range elections {
				want := outcome(raft.JointConfig{c0, c1}.VoteResult(x.votes))
				tally[want]++
				if got := e.Decide(x.yes, x.no); got != want {
					t.Fatalf("%v: yes %v no %v is %v, want %v", e, x.yes, x.no, got, want)
				}
				if got := rule.Decide(x.masks[0], x.masks[1]); got != want {
					t.Fatalf("rule of %v: yes %v no %v is %v, want %v", e, x.yes, x.no, got, want)
				}
			}
		}
	}
	t.Log(tally)
	require.Len(t, tally, 3)
}

func TestElectionsOfMany(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		n := 6 + rng.IntN(20)
		c0, before := voters(uint(rng.IntN(1<<n-1)) + 1)
		c1, after := voters(uint(rng.IntN(1<<n-1)) + 1)
		x := elect(n, rng.IntN(1<<40))
		want := outcome(raft.JointConfig{c0, c1}.VoteResult(x.votes))
		require.Equal(t, want, expr.All(before, after).Decide(x.yes, x.no))
		require.Equal(t, outcome(c0.VoteResult(x.votes)), before.Decide(x.yes, x.no))
	}
}
