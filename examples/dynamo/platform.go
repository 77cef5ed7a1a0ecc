package main

import (
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/distkit/distkit/vclock"
)

// Platform is what a cluster stands on: sockets, disks and chance. The program
// runs on the real one, the simulation in the tests on one that a seed drives.
type Platform struct {
	// Listen opens a socket at addr. Where there are none it returns nil, and
	// Transport knows how to reach a node by its name.
	Listen    func(addr string) (net.Listener, error)
	Transport http.RoundTripper
	Open      func(dir string, fsync Fsync) (Engine, error)
	Remove    func(dir string) error // of all that a node has on disk
	Actor     func(name string) string
	Rand      func(name string) *rand.Rand
}

func realPlatform() Platform {
	return Platform{
		Listen:    func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second, DisableCompression: true},
		Open:      func(dir string, fsync Fsync) (Engine, error) { return openStore(dir, fsync) },
		Remove:    os.RemoveAll,
		Actor:     vclock.NewActor,
		Rand:      func(string) *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) },
	}
}
