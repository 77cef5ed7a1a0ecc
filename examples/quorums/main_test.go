package main

import (
	"bytes"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func Example() {
	if err := run(nil, nil, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// up 99.9 %: down 8h45m57s a year, 43m49.7s a month, 10m4.8s a week, 1m26.4s a day
	// up 99.99 %: down 52m35.7s a year, 4m23s a month, 1m0.5s a week, 8.6s a day
	// two parts in series 0.998001, in parallel 0.999999
	//
	// up, load, latency   reads                    writes                   down a year; guarantee
	// N 3, R 2, W 2       0.999997002 0.67 2ms     0.999997002 0.67 2ms     1m34.6s; a read sees the last completed write
	// N 3, R 1, W 3       0.999999999 0.33 1ms     0.997002999 1.00 3ms     26h16m16.2s; a read sees the last completed write
	// N 3, R 3, W 1       0.997002999 1.00 3ms     0.999999999 0.33 1ms     26h16m16.2s; a read sees the last completed write
	// N 3, R 2, W 1       0.999997002 0.67 2ms     0.999999999 0.33 1ms     1m34.6s; a read may miss it: read quorum b*c and write quorum a, 33 % stale
	// N 3, R 1, W 1       0.999999999 0.33 1ms     0.999999999 0.33 1ms     0s; a read may miss it: read quorum b and write quorum a, 67 % stale
	// grid, a row         0.999991018 0.50 3ms     0.999999998 0.33 4ms     4m43.4s; a read sees the last completed write
	// 2 of 3 whole zones  0.999988028 0.67 4ms     1.000000000 0.33 3ms     6m17.8s; a read sees the last completed write
	// local, each zone    0.999997002 0.67 2ms     0.999994004 0.67 5ms     3m9.2s; a read sees the last completed write
	// synchronous         0.999999999 0.33 1ms     0.997002999 1.00 3ms     26h16m16.2s; a read sees the last completed write
	// semi-synchronous    0.999999999 0.33 1ms     0.998999001 1.00 2ms     8h46m28.5s; a read may miss it: read quorum f2 and write quorum f1*leader
	// asynchronous        0.999999999 0.33 1ms     0.999000000 1.00 1ms     8h45m57s; a read may miss it: read quorum f1 and write quorum leader
	//
	// Linearizable only with blocking repair and without stand-ins. The first node is 1 ms away, the next 2 ms.
}

// yours returns the line of the layout in args.
func yours(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(args, nil, &out))
	_, line, ok := strings.Cut(out.String(), "\nyours")
	require.True(t, ok)
	line, _, _ = strings.Cut(line, "\n")
	return strings.Join(strings.Fields(line), " ")
}

func TestYours(t *testing.T) {
	require.Equal(t, "1.000000000 0.40 2ms 0.999990020 0.80 4ms 5m14.9s; a read sees the last completed write",
		yours(t, "5", "2", "4"))
	require.Equal(t, "0.999603990 0.50 2ms 0.999800010 0.50 3ms 3h28m16.9s; a read sees the last completed write",
		yours(t, "-up", "0.99", "a*b + c*d", "(a + b)*(c + d)"))
	require.Equal(t, yours(t, "a*b + c*d", "(a + b)*(c + d)"), yours(t, "a*b + c*d"), "the dual is the least that meets it")
	require.Contains(t, yours(t, "5", "2", "3"), "a read may miss it: read quorum")
	require.Contains(t, yours(t, "5", "2", "3"), "10 % stale")
}

func TestRefuses(t *testing.T) {
	for want, args := range map[string]string{
		`N R W is ["5" "x" "2"], want numbers, N from 1 to 26`:  "5 x 2",
		`N R W is ["27" "1" "1"], want numbers, N from 1 to 26`: "27 1 1",
		"choose 9 of 5 members, want 1 to 5":                    "5 2 9",
		"expression ends at byte 2, want a node":                "a* b",
		"4 arguments, want N R W, or one or two expressions":    "1 2 3 4",
		"-up is 0, want more than 0 and at most 1":              "-up 0",
	} {
		var out bytes.Buffer
		require.ErrorContains(t, run(strings.Fields(args), nil, &out), want)
		require.Empty(t, out.String())
	}
}
