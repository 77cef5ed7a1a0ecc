package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/distkit/distkit/internal/testkit"
)

// load reads the keys of a file.
func load(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := io.Reader(f)
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return parse(in)
}

// parse takes a line as a key, or where it begins with two numbers and has four fields
// as the first key of a run and how many follow one another.
func parse(in io.Reader) (keys []string, err error) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		fields := strings.Fields(line)
		first, notFirst := strconv.ParseUint(fields[0], 10, 64)
		if len(fields) != 4 || notFirst != nil {
			keys = append(keys, line)
			continue
		}
		count, err := strconv.ParseUint(fields[1], 10, 20)
		if err != nil {
			return nil, fmt.Errorf("line %q: count of keys: %w", line, err)
		}
		for i := range count {
			keys = append(keys, strconv.FormatUint(first+i, 10))
		}
	}
	return keys, lines.Err()
}

// generate returns n requests of several kinds, of each as many, one kind after
// another: popular keys, a loop that is longer than the default cache, and popular
// keys with scans among them.
func generate(mix string, n int) (keys []string, err error) {
	kinds := strings.Split(mix, ",")
	if n < len(kinds) {
		return nil, fmt.Errorf("-n is %d, want at least one request for each of %d kinds", n, len(kinds))
	}
	for i, kind := range kinds {
		zipf := testkit.Zipf(uint64(i), 0.9, 5000)
		r := rand.New(rand.NewPCG(uint64(i), 1))
		scan, scanned := 0, uint64(0)
		next := map[string]func(at int) uint64{
			"zipf": func(int) uint64 { return zipf() },
			"loop": func(at int) uint64 { return uint64(at % 800) },
			"scan": func(int) uint64 {
				if scan == 0 && r.IntN(1000) == 0 {
					scan = 1000
				}
				if scan > 0 {
					scan--
					scanned++
					return 1<<32 + scanned
				}
				return zipf()
			},
		}[kind]
		if next == nil {
			return nil, fmt.Errorf("-mix has %q, want zipf, loop and scan", kind)
		}
		for at := range n / len(kinds) {
			keys = append(keys, fmt.Sprint(i, " ", next(at)))
		}
	}
	return keys, nil
}
