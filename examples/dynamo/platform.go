package main

import (
	"net"
	"net/http"
	"os"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
)

// Platform is what a cluster stands on: sockets, disks and chance. The program
// runs on the real one, the simulation in the tests on one that a seed drives.
type Platform struct {
	node.Platform
	// Listen opens a socket at addr. Where there are none it returns nil, and
	// Transport knows how to reach a node by its name.
	Listen    func(addr string) (net.Listener, error)
	Transport http.RoundTripper
	Remove    func(dir string) error // of all that a node has on disk
}

func realPlatform() Platform {
	return Platform{
		Listen:    func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second, DisableCompression: true},
		Remove:    os.RemoveAll,
	}
}
