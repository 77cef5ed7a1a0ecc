package expr_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

// raftVotes are the vote cases of etcd's raft v3.7.0 (quorum/testdata,
// majority_vote.txt and joint_vote.txt, Apache 2.0), less those of empty
// configurations: voters, joint voters, the votes in the order of appearance,
// and the outcome.
var raftVotes = []struct {
	voters, joint, votes string
	want                 expr.Outcome
}{
	{"1", "", "_", expr.Pending},
	{"1", "", "n", expr.Lost},
	{"48", "", "__", expr.Pending},
	{"48", "", "n_", expr.Lost},
	{"48", "", "y_", expr.Pending},
	{"48", "", "ny", expr.Lost},
	{"48", "", "yy", expr.Won},
	{"247", "", "___", expr.Pending},
	{"247", "", "n__", expr.Pending},
	{"247", "", "y__", expr.Pending},
	{"247", "", "nn_", expr.Lost},
	{"247", "", "yn_", expr.Pending},
	{"247", "", "yy_", expr.Won},
	{"247", "", "yyn", expr.Won},
	{"247", "", "nyn", expr.Lost},
	{"1234567", "", "yyny___", expr.Pending},
	{"1234567", "", "_yy_nyn", expr.Pending},
	{"1234567", "", "yyny_ny", expr.Won},
	{"1234567", "", "yy_nynn", expr.Pending},
	{"1234567", "", "yynynnn", expr.Lost},

	{"1", "1", "_", expr.Pending},
	{"1", "1", "y", expr.Won},
	{"1", "1", "n", expr.Lost},
	{"1", "2", "__", expr.Pending},
	{"1", "2", "y_", expr.Pending},
	{"1", "2", "yy", expr.Won},
	{"1", "2", "yn", expr.Lost},
	{"1", "2", "n_", expr.Lost},
	{"1", "2", "nn", expr.Lost},
	{"1", "2", "ny", expr.Lost},
	{"12", "34", "____", expr.Pending},
	{"12", "34", "y___", expr.Pending},
	{"12", "34", "yy__", expr.Pending},
	{"12", "34", "yyn_", expr.Lost},
	{"12", "34", "yynn", expr.Lost},
	{"12", "34", "yyyn", expr.Lost},
	{"12", "34", "yyyy", expr.Won},
	{"12", "23", "___", expr.Pending},
	{"12", "23", "_n_", expr.Lost},
	{"12", "23", "yy_", expr.Pending},
	{"12", "23", "yyn", expr.Lost},
	{"12", "23", "yyy", expr.Won},
	{"12", "12", "__", expr.Pending},
	{"12", "12", "y_", expr.Pending},
	{"12", "12", "yn", expr.Lost},
	{"12", "12", "n_", expr.Lost},
	{"12", "12", "nn", expr.Lost},
	{"123", "234", "____", expr.Pending},
	{"123", "234", "_n__", expr.Pending},
	{"123", "234", "_nn_", expr.Lost},
	{"123", "234", "_yy_", expr.Won},
	{"123", "234", "yy__", expr.Pending},
	{"123", "234", "yyn_", expr.Pending},
	{"123", "234", "yynn", expr.Lost},
	{"123", "234", "yyny", expr.Won},
}

func TestVotesOfRaft(t *testing.T) {
	for _, x := range raftVotes {
		letters := func(s string) []expr.Expr { return nodes(strings.Join(strings.Split(s, ""), " ")) }
		e := expr.Majority(letters(x.voters)...)
		if x.joint != "" {
			e = expr.All(e, expr.Majority(letters(x.joint)...))
		}
		all := strings.Split(x.voters, "")
		for id := range strings.SplitSeq(x.joint, "") {
			if id != "" && !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
		require.Len(t, x.votes, len(all))
		var yes, no []string
		var masks [2]uint64
		for i, id := range all {
			switch x.votes[i] {
			case 'y':
				yes, masks[0] = append(yes, id), masks[0]|1<<i
			case 'n':
				no, masks[1] = append(no, id), masks[1]|1<<i
			}
		}
		require.Equal(t, x.want, e.Decide(yes, no), "%v of %v", x.votes, e)
		rule, err := e.Compile(all)
		require.NoError(t, err)
		require.Equal(t, x.want, rule.Decide(masks[0], masks[1]), "%v of %v", x.votes, e)
	}
}
