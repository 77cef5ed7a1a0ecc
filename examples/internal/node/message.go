package node

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/distkit/distkit/vclock"
)

// Versions are what a node holds of a key: the values that nobody has replaced
// yet, and the context that covers all that were ever written.
type Versions = vclock.Siblings[[]byte]

func encodeVersions(v Versions) ([]byte, error) {
	return vclock.AppendSiblings(nil, v, func(b, value []byte) ([]byte, error) { return append(b, value...), nil })
}

// DecodeVersions decodes what an Engine holds of a key.
func DecodeVersions(data []byte) (Versions, error) {
	return vclock.DecodeSiblings(data, func(b []byte) ([]byte, error) { return bytes.Clone(b), nil })
}

// replicaMessage is the body of /i/put and /i/get: whose copy of which key is
// meant, and for a put what to merge into it.
type replicaMessage struct {
	owner, key string
	value      []byte // encoded versions
}

func (m replicaMessage) encode() []byte {
	b := make([]byte, 0, len(m.owner)+len(m.key)+len(m.value)+2*binary.MaxVarintLen32)
	return append(appendBytes(appendBytes(b, m.owner), m.key), m.value...)
}

var errMessage = errors.New("message is malformed")

func decodeReplicaMessage(b []byte) (replicaMessage, error) {
	owner, rest, ok := cutBytes(b)
	key, value, ok2 := cutBytes(rest)
	if !ok || !ok2 {
		return replicaMessage{}, errMessage
	}
	return replicaMessage{string(owner), string(key), value}, nil
}

// gossipMessage is the body of /i/gossip and its answer: what the receiver
// lacks, and what the sender knows.
type gossipMessage struct{ delta, digest []byte }

func (m gossipMessage) encode() []byte {
	return append(appendBytes(nil, m.delta), m.digest...)
}

func decodeGossipMessage(b []byte) (gossipMessage, error) {
	delta, digest, ok := cutBytes(b)
	if !ok {
		return gossipMessage{}, errMessage
	}
	return gossipMessage{delta, digest}, nil
}

// appendBytes appends b and, before it, its length.
func appendBytes[T string | []byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// cutBytes cuts a length and that many bytes off data.
func cutBytes(data []byte) (b, rest []byte, ok bool) {
	n, m := binary.Uvarint(data)
	if m <= 0 || n > uint64(len(data)-m) {
		return nil, nil, false
	}
	return data[m : m+int(n)], data[m+int(n):], true
}
