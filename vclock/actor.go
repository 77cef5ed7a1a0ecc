package vclock

import (
	"crypto/rand"
	"encoding/base32"
)

// actorAlphabet is that of RFC 4648, in lower case.
var actorAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewActor returns a new id for one life of the actor name: name, "~" and 64
// random bits in base32, such as "cart-1~c6xjrkm5tmvyq".
//
// The counters of an id must never be issued twice. A node that keeps its clock
// on disk keeps its id; one that has lost its disk, or cannot say whether all
// that it issued is still there, must come back under a new id. Riak calls this
// an actor epoch. A name of up to 1010 bytes gives an id that can be encoded.
func NewActor(name string) string {
	var random [8]byte
	rand.Read(random[:]) // never fails, as of Go 1.24
	return name + "~" + actorAlphabet.EncodeToString(random[:])
}
