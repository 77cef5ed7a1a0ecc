package quorum_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

// FuzzAgainstAModel lets the fuzzer choose which operations, failures and delays
// are compared with the model.
func FuzzAgainstAModel(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, seed*seed)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		synctest.Test(t, func(t *testing.T) {
			s := drawScenario(rand.New(rand.NewPCG(a, b)))
			c := build(t, s.n, 1, 1, s.opts...)
			s.checkWrite(t, c, a)
			s.checkRead(t, c, a)
			check(t, c)
		})
	})
}
