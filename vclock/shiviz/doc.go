// Package shiviz records executions of distributed programs with vector clocks,
// in the log format of the visualizer ShiViz, and checks what was recorded.
//
//   - [Process] keeps the clock of one host and stamps its events.
//   - [Writer] writes the events of a Process as a log; its Handler is a
//     [log/slog.Handler].
//   - [Parse] reads such logs, of this package and of others.
//   - [Check] reports the first event that cannot have happened as recorded.
//   - [Concurrent] yields pairs of events of which neither saw the other: of
//     the writes of one key, its lost updates.
//
// Use it to see what a protocol did, and in tests: replay the log of a run, hold
// that it is sound, and that this write had seen that one. It is not a tracing
// system: a log holds every event, and every line a whole clock.
//
// # Concurrency
//
// A Process and a Writer may be used by any number of goroutines at once.
// Several writers, of one process or of many, may share an [io.Writer] if that
// is safe for concurrent use: every event is one call of Write.
//
// # Format
//
// Every event is two lines: the host, a blank and the clock as JSON, and then
// the text of the event:
//
//	host {"host":2, "other":1}
//	received ping
//
// Host and ids may not hold white space, control characters, quotes, backslashes
// or what is not UTF-8; such bytes and the percent sign are written as %XX. In
// the text, line breaks become \n, \r, \u2028 and \u2029 and a backslash \\. So
// no event can forge another. Parse undoes both. The constant [Header] holds the
// two lines that ShiViz wants at the start of a file: the regular expression of
// this format and an empty line.
//
// # Stability
//
// The format is that of ShiViz and will not change.
//
// # Security
//
// A log from strangers may claim anything; Check finds what is impossible, not
// what is untrue. Parse bounds the length of lines and the size of clocks.
package shiviz
