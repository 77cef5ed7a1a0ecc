package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/distkit/distkit/vclock"
)

// A node writes under an actor: an id, and a number for each write of a key. No
// number may come twice with another value, or one of the two writes is lost.
// The node knows the last number from its copy of the key. A crash can take the
// last part of that, while others have got it; a new disk takes all of it. So
// the id is only kept from a clean end to the next start, and lasts for one life
// otherwise.

// takeActor returns the actor of the last life, if that ended well, else a new
// one; and the number that none of its writes of a key that the node does not
// hold may fall to.
func takeActor(path, name string, newActor func(name string) string) (actor string, floor vclock.Clock, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return newActor(name), floor, nil
	}
	if err != nil {
		return "", floor, err
	}
	var used uint64
	if _, err := fmt.Sscanf(string(b), "%s %d", &actor, &used); err != nil {
		return "", floor, fmt.Errorf("%s holds %q, want an id and a number", path, b)
	}
	if used > 0 {
		if floor, err = vclock.Make(vclock.Dot{ID: actor, N: used}); err != nil {
			return "", floor, err
		}
	}
	if err := os.Remove(path); err != nil {
		return "", floor, err
	}
	return actor, floor, syncDir(filepath.Dir(path))
}

// leaveActor keeps the actor for the next start.
func leaveActor(path, actor string, floor uint64) error {
	return WriteFile(path, fmt.Appendln(nil, actor, floor))
}
