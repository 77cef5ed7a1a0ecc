// Package testkit is what the tests of several packages share: golden stories
// ([Stories], [Golden]), skewed streams ([Zipf]), bounds that theory gives for
// measured rates ([RateBounds], [ChiSquare]), and meters for memory ([NoAllocs],
// [AllocatedBytes], [LiveBytes]). Only tests and benchmarks import it.
package testkit
