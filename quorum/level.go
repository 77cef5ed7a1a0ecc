package quorum

import (
	"fmt"

	"github.com/distkit/distkit/quorum/expr"
)

// Level says which replicas of a call are enough: a number of them, or numbers
// in zones. It is immutable and comparable. The zero Level is refused by
// [WithReadLevel] and [WithWriteLevel].
type Level struct {
	scope scope
	zone  string
	zones int
	share share
}

type scope uint8

const (
	everywhere scope = iota + 1
	inZone
	eachZone
	someZones
)

// share is how many of a set of replicas are needed.
type share struct {
	kind shareKind
	k    int
}

type shareKind uint8

const (
	exactly shareKind = iota + 1
	majority
	whole
)

// One is one replica.
func One() Level { return Count(1) }

// Majority is more than half of the replicas: ⌊n/2⌋+1.
func Majority() Level { return Level{scope: everywhere, share: share{kind: majority}} }

// All is every replica.
func All() Level { return Level{scope: everywhere, share: share{kind: whole}} }

// Count is k replicas, 1 ≤ k ≤ n.
func Count(k int) Level { return Level{scope: everywhere, share: share{exactly, k}} }

// InZone counts only the replicas in one zone: InZone(z, Majority()) is what
// others call a local quorum. The inner level is One, Majority, All or Count.
// A call without enough replicas in that zone is unavailable. Zone levels need
// [WithZones].
func InZone(zone string, l Level) Level { return l.within(inZone, zone, 0) }

// EachZone holds in every zone that the replicas of a call are in.
func EachZone(l Level) Level { return l.within(eachZone, "", 0) }

// SomeZones holds in k of the zones: SomeZones(2, All()) is two whole zones. A
// call whose replicas are in fewer zones is unavailable.
func SomeZones(k int, l Level) Level { return l.within(someZones, "", k) }

// within moves l into zones; what cannot be moved becomes a level that check
// refuses.
func (l Level) within(s scope, zone string, zones int) Level {
	if l.scope != everywhere {
		return Level{scope: s, zone: zone, zones: zones}
	}
	return Level{scope: s, zone: zone, zones: zones, share: l.share}
}

// String returns the call that makes the level.
func (l Level) String() string {
	inner := "Level{}"
	switch l.share.kind {
	case exactly:
		inner = fmt.Sprintf("Count(%d)", l.share.k)
	case majority:
		inner = "Majority()"
	case whole:
		inner = "All()"
	}
	switch l.scope {
	case inZone:
		return fmt.Sprintf("InZone(%q, %s)", l.zone, inner)
	case eachZone:
		return fmt.Sprintf("EachZone(%s)", inner)
	case someZones:
		return fmt.Sprintf("SomeZones(%d, %s)", l.zones, inner)
	}
	return inner
}

// check reports why a level does not go with n replicas.
func (l Level) check(n int, zones bool) error {
	switch {
	case l.scope == 0:
		return fmt.Errorf("quorum: level is the zero Level, want One, Majority, All, Count or a zone level")
	case l.share.kind == 0:
		return fmt.Errorf("quorum: level %v has no level for the replicas in a zone, want One, Majority, All or Count", l)
	case l.share.kind == exactly && (l.share.k < 1 || l.share.k > n):
		return fmt.Errorf("quorum: level %v of %d replicas, want 1 to %d", l, n, n)
	case l.scope == someZones && (l.zones < 1 || l.zones > n):
		return fmt.Errorf("quorum: level %v of %d replicas, want 1 to %d zones", l, n, n)
	case l.scope == inZone && l.zone == "":
		return fmt.Errorf("quorum: level %v has no zone", l)
	case l.scope != everywhere && !zones:
		return fmt.Errorf("quorum: level %v without WithZones", l)
	}
	return nil
}

// of returns how many of so many replicas are needed, at least one.
func (s share) of(size int) int {
	switch s.kind {
	case exactly:
		return s.k
	case majority:
		return size/2 + 1
	}
	return max(size, 1)
}

// flat returns the rule of a level without zones.
func (l Level) flat(n int) expr.Rule {
	r, _ := expr.NewRule(1, expr.Group{Mask: lowBits(n), Need: l.share.of(n)})
	return r
}

// zoned returns the rule of a zone level for the replicas of one call.
func (l Level) zoned(owners []string, zoneOf func(string) string) (expr.Rule, error) {
	names := make([]string, 0, 4)
	groups := make([]expr.Group, 0, 4)
	for i, node := range owners {
		zone := zoneOf(node)
		if zone == "" {
			return expr.Rule{}, fmt.Errorf("quorum: node %q has no zone", node)
		}
		if l.scope == inZone && zone != l.zone {
			continue
		}
		at := 0
		for at < len(names) && names[at] != zone {
			at++
		}
		if at == len(names) {
			names = append(names, zone)
			groups = append(groups, expr.Group{})
		}
		groups[at].Mask |= 1 << i
	}
	need := len(groups)
	if l.scope == someZones {
		need = l.zones
	}
	for i := range groups {
		groups[i].Need = l.share.of(popcount(groups[i].Mask))
	}
	return expr.NewRule(max(need, 1), groups...)
}
