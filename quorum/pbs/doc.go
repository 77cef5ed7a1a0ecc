// Package pbs predicts how stale reads of partial quorums are (Bailis et al.,
// "Probabilistically Bounded Staleness for Practical Partial Quorums", VLDB
// 2012): the chance that a read some time after a write sees it, when
// R + W ≤ N, from how long replicas take.
//
// Use it to choose R and W by what they cost and buy. With R + W > N reads are
// fresh, and nothing needs to be predicted.
//
// # Concurrency
//
// A [Prediction] is immutable and safe for concurrent use.
//
// # Accuracy
//
// [StaleProbability] is exact for replicas that hold a write at random, with no
// time in between. [Predict] simulates: with n trials a probability p is off by
// sqrt(p(1-p)/n), 0.05 points at p = 0.9 and 300,000 trials. It assumes that
// delays are independent and that nobody fails.
//
// # Format
//
// Nothing here is stored or sent.
//
// # Stability
//
// Before v1 names may still change.
//
// # Security
//
// Time and memory grow with n and trials, which are the caller's.
package pbs
