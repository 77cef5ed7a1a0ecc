package testkit

import (
	"runtime"
	"testing"

	"github.com/distkit/distkit/internal/invariants"
)

// NoAllocs fails the test if f allocates. Under -race, where the detector and
// the invariant checks allocate, it only runs f.
func NoAllocs(t testing.TB, what string, f func()) {
	t.Helper()
	if invariants.Enabled {
		f()
		return
	}
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s allocates %v times, want 0", what, n)
	}
}

// AllocatedBytes returns how many bytes f allocated on the heap, freed ones
// included; other goroutines count too.
func AllocatedBytes(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// LiveBytes returns how many bytes of heap the value that build returns holds.
func LiveBytes(build func() any) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	v := build()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(v)
	if after.HeapAlloc < before.HeapAlloc {
		return 0
	}
	return after.HeapAlloc - before.HeapAlloc
}
