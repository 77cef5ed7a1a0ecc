package node

import (
	"math/rand/v2"
	"path/filepath"

	"github.com/distkit/distkit/ring"
	"github.com/distkit/distkit/vclock"
)

// Platform is what a node stands on. Fields that are nil stand for this
// package's own: a log-structured engine, heartbeat gossip over Peers, new ids,
// chance.
type Platform struct {
	Open    func(dir string, fsync Fsync) (Engine, error)
	Members func(name, dir string, founders []ring.Node, peers Peers) (Members, error)
	Actor   func(name string) string // a new id for the writes of a node
	Rand    func(what string) *rand.Rand
}

// orOwn fills in what is nil.
func (p Platform) orOwn() Platform {
	if p.Open == nil {
		p.Open = OpenStore
	}
	if p.Actor == nil {
		p.Actor = vclock.NewActor
	}
	if p.Rand == nil {
		p.Rand = func(string) *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }
	}
	if p.Members == nil {
		p.Members = func(name, dir string, founders []ring.Node, peers Peers) (Members, error) {
			return openMembership(name, filepath.Join(dir, "members"), founders, peers, p.Rand(name))
		}
	}
	return p
}
