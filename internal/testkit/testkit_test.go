package testkit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func tell(t *testing.T) func(Case) string {
	return func(c Case) string {
		switch c.Cmd {
		case "add":
			sum := c.Int(t, "carry", 0)
			for _, a := range c.Args[:2] {
				n, err := strconv.Atoi(a)
				assert.NoError(t, err)
				sum += n
			}
			return strconv.Itoa(sum)
		case "count":
			return fmt.Sprintf("%d lines: %q\n", strings.Count(c.Input, "\n")+1, c.Input)
		}
		return "unknown command " + c.Cmd
	}
}

func TestStories(t *testing.T) { Stories(t, "testdata/*.txt", tell) }

func TestStoriesAreStrict(t *testing.T) {
	for text, want := range map[string]string{
		"add 1 2\n----\n3\n":            "s:1: no sentence above \"add 1 2\" says what it shows",
		"# Sum.\nadd 1 2\n3\n":          "s:2: no ---- after the command",
		"# A.\nadd 1 2\n----\n3\n\nadd": "s:6: no sentence above \"add\" says what it shows",
	} {
		_, err := retell("s", text, tell(t))
		assert.EqualError(t, err, want)
	}
	got, err := retell("s", "# Sum.\nadd 1 2\n----\nwrong\nlines\n\n# End.\nadd 2 2\n----\n", tell(t))
	assert.NoError(t, err)
	assert.Equal(t, "# Sum.\nadd 1 2\n----\n3\n\n# End.\nadd 2 2\n----\n4\n", got, "a retold story holds what was said now")
}

// The measured frequencies of the first ranks are those of the law.
func TestZipf(t *testing.T) {
	const n, trials = 1000, 400_000
	for _, s := range []float64{0.5, 0.99, 1, 1.5} {
		next := Zipf(1, s, n)
		var total float64
		for k := 1; k <= n; k++ {
			total += math.Pow(float64(k), -s)
		}
		counts := make([]int, n)
		for range trials {
			counts[next()]++
		}
		for _, k := range []int{0, 1, 2, 9, 99, 999} {
			p := math.Pow(float64(k+1), -s) / total
			lo, hi := RateBounds(p, trials, 5)
			rate := float64(counts[k]) / trials
			assert.True(t, lo <= rate && rate <= hi, "s=%v rank %d: %v, want %v", s, k, rate, p)
		}
	}
}

// The 99.9 % point for 100 degrees of freedom and the 95 % point for 10, from tables.
func TestChiSquareLimit(t *testing.T) {
	assert.InDelta(t, 149.4, ChiSquareLimit(101, 3.0902), 0.3)
	assert.InDelta(t, 18.3, ChiSquareLimit(11, 1.6449), 0.1)
	assert.Zero(t, ChiSquare([]int{5, 5, 5}))
	assert.InDelta(t, 4.0/3, ChiSquare([]int{4, 8, 6}), 1e-9)
}

func TestMeanSD(t *testing.T) {
	mean, sd := MeanSD([]float64{2, 4, 4, 4, 5, 5, 7, 9})
	assert.Equal(t, 5.0, mean)
	assert.InDelta(t, 2.1381, sd, 1e-4)
}

func TestMeters(t *testing.T) {
	const n = 1 << 20
	live := LiveBytes(func() any { return make([]byte, n) })
	assert.InDelta(t, n, float64(live), n/8)
	var sink []byte
	got := AllocatedBytes(func() { sink = make([]byte, n); sink = make([]byte, n) })
	assert.InDelta(t, 2*n, float64(got), n/8)
	assert.Len(t, sink, n)
}
