package vclock

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/vclock"
)

func BenchmarkVClock(b *testing.B) { bar.Benchmark(b, Suite()) }

// The stand-ins do the work that they are measured for.
func TestStandIns(t *testing.T) {
	a := clocks(4, func(i int) uint64 { return uint64(i) })
	b := clocks(4, func(i int) uint64 { return uint64(3 - i) })
	for _, p := range [][2]pair{{a, b}, {a, a}, {a, {a.c.Tick("node-000"), a.m.tick("node-000")}}, {{a.c.Merge(b.c), a.m.merge(b.m)}, b}} {
		if want, got := p[0].c.Compare(p[1].c), p[0].m.compare(p[1].m); got != want {
			t.Errorf("%v against %v is %v, want %v", p[0].m, p[1].m, got, want)
		}
	}
	if back := decode(a.m.encode()); back.compare(a.m) != vclock.Equal {
		t.Errorf("gob gives %v, want %v", back, a.m)
	}
}

// The trees know what the stamps know.
func TestTrees(t *testing.T) {
	all := crowd(16)
	for i := range all {
		for range i % 3 {
			all[i].s, all[i].t = all[i].s.Event(), all[i].t.record()
		}
		for _, o := range all {
			le, ge := all[i].t.event.leq(o.t.event), o.t.event.leq(all[i].t.event)
			want := map[[2]bool]vclock.Ordering{{true, true}: vclock.Equal, {true, false}: vclock.Before, {false, true}: vclock.After, {}: vclock.Concurrent}[[2]bool{le, ge}]
			if got := all[i].s.Compare(o.s); got != want {
				t.Errorf("%v against %v is %v, want %v", all[i].s, o.s, got, want)
			}
		}
	}
}
