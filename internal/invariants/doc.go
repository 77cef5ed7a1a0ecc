// Package invariants says whether the checks that are too slow for production
// run: the structures of distkit verify themselves after every change when it
// is on.
package invariants
