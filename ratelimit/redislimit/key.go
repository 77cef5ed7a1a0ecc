package redislimit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// longestKey is in bytes; of a longer key the store gets the SHA-256.
const longestKey = 256

// naming is how keys are called in the store: different keys differently, and so
// that none chooses its slot in a cluster. There, of a key with braces, only what is
// between the first pair counts.
type naming struct {
	prefix string
	tagged bool // the prefix has the braces that count
}

func newNaming(prefix string) (naming, error) {
	_, after, open := strings.Cut(prefix, "{")
	tag, _, closed := strings.Cut(after, "}")
	if open && (!closed || tag == "") {
		return naming{}, fmt.Errorf("redislimit: prefix is %.64q, want no {, or a hash tag such as {limits}", prefix)
	}
	return naming{prefix, open}, nil
}

// name returns the prefix and the key; or, in braces, which no plain name has after
// the prefix, the key in hexadecimal, or its hash.
func (n naming) name(key string) string {
	switch {
	case len(key) > longestKey:
		sum := sha256.Sum256([]byte(key))
		return n.prefix + "{sha256:" + hex.EncodeToString(sum[:]) + "}"
	case key == "", strings.Contains(key, "{"):
		return n.prefix + "{" + hex.EncodeToString([]byte(key)) + "}"
	}
	return n.prefix + key
}
