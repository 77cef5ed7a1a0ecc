package main

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func cachesim(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, run(args, nil, &out))
	return out.String()
}

func ratios(t *testing.T, out string) map[string]float64 {
	t.Helper()
	m := map[string]float64{}
	for _, row := range regexp.MustCompile(`(?m)^(\w+) +([\d.]+) %`).FindAllStringSubmatch(out, -1) {
		ratio, err := strconv.ParseFloat(row[2], 64)
		require.NoError(t, err)
		m[row[1]] = ratio
	}
	return m
}

func TestDefault(t *testing.T) {
	out := cachesim(t)
	require.Regexp(t, `^60000 requests, cache of 500

LRU        25.1 %  █████████████
FIFO       23.2 %  ████████████
LIFO       17.8 %  █████████
MRU         5.4 %  ███
LFU        23.8 %  ████████████
Random     .....%  █+
SIEVE      26.5 %  █████████████
S3FIFO     28.8 %  ██████████████
Adaptive   .....%  █+
possible   55.2 %  ████████████████████████████
$`, out)
	m := ratios(t, out)
	require.Greater(t, m["Adaptive"], m["LRU"]+5)
	require.Less(t, m["Adaptive"], m["possible"])
	require.InDelta(t, 34, m["Random"], 3)
}

func TestFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trace.gz")
	f, err := os.Create(name)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte("7 2 0 1\n\na key\n8\n7\na key\n")) // 7, 8, a key, 8, 7, a key
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	m := ratios(t, cachesim(t, "-capacity", "2", name))
	require.Equal(t, 16.7, m["LRU"])
	require.Equal(t, 33.3, m["possible"])
}

func TestChart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "chart.svg")
	cachesim(t, "-mix", "loop", "-n", "5000", "-capacity", "100", "-svg", name)
	svg, err := os.ReadFile(name)
	require.NoError(t, err)
	for _, want := range []string{"<svg ", ">Adaptive<", ">LRU<", ">possible<", ">400<"} {
		require.Contains(t, string(svg), want)
	}
}

func TestWrongCalls(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad")
	require.NoError(t, os.WriteFile(bad, []byte("1 x 0 0\n"), 0o600))
	empty := filepath.Join(t.TempDir(), "empty.gz")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for want, args := range map[string][]string{
		"lru: capacity is 0, want at least 1":                    {"-capacity", "0"},
		`-mix has "fun", want zipf, loop and scan`:               {"-mix", "fun"},
		"-n is 1, want at least one request for each of 3 kinds": {"-n", "1"},
		"2 files, want at most one":                              {"a", "b"},
		"no such file":                                           {filepath.Join(bad, "..", "absent")},
		`line "1 x 0 0": count of keys`:                          {bad},
		"EOF":                                                    {empty},
		"flag provided but not defined: -x":                      {"-x"},
	} {
		require.ErrorContains(t, run(args, nil, new(strings.Builder)), want)
	}
}
