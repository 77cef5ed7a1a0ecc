package cms_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example of the textbooks: five rows of ten counters, and the columns in which
// four keys fall. Our own hash puts keys elsewhere, so the twin, which the sketch is
// compared with throughout, takes their table.
func TestTextbookExample(t *testing.T) {
	columns := map[string][5]int{"A": {0, 2, 4, 8, 9}, "B": {1, 3, 4, 7, 2}, "C": {0, 4, 3, 7, 9}, "D": {8, 3, 5, 7, 1}}
	add := func(stream string, conservative bool) *twin {
		s := newTwin(10, 5, conservative, 1<<32-1)
		s.cell = func(h uint64, row int) int { return columns[string(rune(h))][row] }
		for key := range strings.SplitSeq(stream, ",") {
			s.add(uint64(key[0]), 1)
		}
		return s
	}
	for stream, want := range map[string]map[rune]uint64{
		"A,A,B,D":             {'A': 2, 'B': 1, 'D': 1, 'C': 0},
		"A,A,B,D,B,A,A,D,B,B": {'A': 4, 'B': 4, 'D': 2, 'C': 0},
	} {
		for _, conservative := range []bool{false, true} {
			s := add(stream, conservative)
			for key, n := range want {
				require.Equal(t, n, s.count(uint64(key)), "%c after %s", key, stream)
			}
		}
	}
	// A and B share a counter of the third row: plain it has the sum of both.
	long := "A,A,B,D,B,A,A,D,B,B"
	require.EqualValues(t, 8, add(long, false).rows[2][4])
	require.EqualValues(t, 4, add(long, true).rows[2][4])
	// C shares counters with A, B and D, and has one of its own that is still 0.
	require.EqualValues(t, 4, add(long, false).rows[0][0])
	require.EqualValues(t, 0, add(long, false).rows[1][4])
}
