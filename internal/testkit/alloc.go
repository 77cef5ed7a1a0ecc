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

// NotUnderInvariants skips a test under -race and -tags invariants, for those that
// draw many numbers or measure memory in one goroutine: the race detector has nothing
// to find there, and the checks, which other tests meet as well, make them last minutes.
func NotUnderInvariants(t testing.TB) {
	t.Helper()
	if invariants.Enabled {
		t.Skip("one goroutine, and many draws or bytes to measure: runs without the checks of invariants")
	}
}

// NotUnderRace skips a long test under -race that has nothing for the detector, as it
// is of one goroutine, or nothing that shorter tests do not have. With -tags invariants
// it runs, and what it tests checks itself.
func NotUnderRace(t testing.TB) {
	t.Helper()
	if invariants.Race {
		t.Skip("nothing for the race detector to find")
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
