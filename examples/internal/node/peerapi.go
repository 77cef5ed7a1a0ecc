package node

// Messages between nodes about copies and membership, under /i.

import (
	"fmt"
	"io"
	"net/http"
)

func (n *Node) servePutCopy(w http.ResponseWriter, r *http.Request) error {
	m, err := readReplicaMessage(r)
	if err != nil {
		return err
	}
	v, err := DecodeVersions(m.value)
	if err != nil {
		return err
	}
	if !n.knows(m.owner) {
		return badRequest{fmt.Errorf("owner is %q, want a member", m.owner)}
	}
	return n.putCopy(m.owner, m.key, v)
}

func (n *Node) serveGetCopy(w http.ResponseWriter, r *http.Request) error {
	m, err := readReplicaMessage(r)
	if err != nil {
		return err
	}
	v, err := n.getCopy(m.owner, m.key)
	if err != nil {
		return err
	}
	data, err := encodeVersions(v)
	if err == nil {
		w.Write(data)
	}
	return err
}

func readReplicaMessage(r *http.Request) (replicaMessage, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return replicaMessage{}, err
	}
	return decodeReplicaMessage(body)
}

func serveGossip(members exchanger) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		answer, err := members.answer(body)
		if err != nil {
			return badRequest{err}
		}
		w.Write(answer)
		return nil
	}
}
