package tlog_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/require"
)

// lines returns the lines of a file in words, comments aside.
func lines(t *testing.T, path string) (all [][]string) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if words := strings.Fields(line); words[0] != "#" {
			all = append(all, words)
		}
	}
	return all
}

func number(t *testing.T, word string) uint64 {
	n, err := strconv.ParseUint(word, 10, 64)
	require.NoError(t, err)
	return n
}

// The 518 verdicts of the reference implementation's conformance suite. Some
// cases hold hashes shorter than 32 bytes, which no merkle.Hash can be: zeros fill
// them up, and the verdicts stay.
func TestConformance(t *testing.T) {
	hashes, verdicts := map[string]merkle.Hash{}, map[string]int{}
	for _, w := range lines(t, "testdata/rfc9162.txt") {
		if w[0] == "hash" {
			var h merkle.Hash
			copy(h[:], must(hex.DecodeString(strings.Trim(w[2], "-"))))
			hashes[w[1]] = h
			continue
		}
		var given []merkle.Hash // two roots, or root and leaf, and the proof
		var n []uint64
		for _, word := range w[2:] {
			for name := range strings.SplitSeq(word, ",") {
				if h, ok := hashes[name]; ok {
					given = append(given, h)
				} else if name != "-" {
					n = append(n, number(t, name))
				}
			}
		}
		var err error
		a, b, proof := given[0], given[1], given[2:]
		what, _, _ := strings.Cut(w[1], "/")
		switch what {
		case "inclusion":
			err = tlog.VerifyInclusion(a, n[1], n[0], b, proof)
		case "consistency":
			err = tlog.VerifyConsistency(a, n[0], b, n[1], proof)
		case "subtreeinclusion":
			err = tlog.VerifySubtreeInclusion(a, n[1], n[2], n[0], b, proof)
		case "subtreeconsistency":
			err = tlog.VerifySubtreeConsistency(a, n[0], n[1], b, n[2], proof)
		}
		require.Equal(t, w[0] == "ok", err == nil, "%s: %v", w[1], err)
		if err != nil {
			require.True(t, errors.Is(err, merkle.ErrProof) || errors.Is(err, merkle.ErrRange), err)
		}
		verdicts[what]++
	}
	require.Equal(t, map[string]int{"inclusion": 98, "consistency": 98, "subtreeinclusion": 204, "subtreeconsistency": 118}, verdicts)
}

// Roots and proofs of 130 entries, made by the reference implementation.
func TestVectors(t *testing.T) {
	l := tlog.NewLog()
	digest := func(proof []merkle.Hash) string {
		h := sha256.New()
		for _, p := range proof {
			h.Write(p[:])
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	seen := map[string]int{}
	for _, w := range lines(t, "testdata/log.txt") {
		seen[w[0]]++
		switch w[0] {
		case "entry":
			l.Append(must(hex.DecodeString(w[1])))
		case "root":
			require.Equal(t, w[2], must(l.RootAt(number(t, w[1]))).String())
		case "inclusion":
			proof := must(l.Inclusion(number(t, w[1]), number(t, w[2])))
			require.Equal(t, w[3:], []string{strconv.Itoa(len(proof)), digest(proof)}, w)
		case "consistency":
			proof := must(l.Consistency(number(t, w[1]), number(t, w[2])))
			require.Equal(t, w[3:], []string{strconv.Itoa(len(proof)), digest(proof)}, w)
		}
	}
	require.Equal(t, map[string]int{"entry": 130, "root": 131, "inclusion": 79, "consistency": 79}, seen)
	require.EqualValues(t, 130, l.Size())
}
