// Package testkit is what the tests of several packages share: golden stories
// ([Stories], [Golden]), skewed streams ([Zipf]) and the most that a cache can hit of
// them ([Belady]), bounds that theory gives for measured rates ([RateBounds],
// [ChiSquare]), and meters for memory ([NoAllocs], [AllocatedBytes], [LiveBytes]).
// Tests, benchmarks and what compares policies import it.
package testkit
