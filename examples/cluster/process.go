package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/ring"
)

// serve runs one node until ctx is done or, with -until-eof, standard input ends.
// It says where it listens in one line of out.
func (o options) serve(ctx context.Context, stdin io.Reader, out, errs io.Writer) (err error) {
	if o.untilEOF {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // however it ends
			cancel()
		}()
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.http)
	if err != nil {
		return err
	}
	members, err := openMembers(o.name, o.dir, o.gossip, meta{o.zone, l.Addr().(*net.TCPAddr).AddrPort()}, o.seeds(), errs)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, members.Close()) }()
	fmt.Fprintf(out, "%s http=%s gossip=%s\n", o.name, l.Addr(), members.list.LocalNode().Address())
	if err := members.Meet(ctx, o.expect); err != nil {
		return errors.Join(err, l.Close())
	}
	n, err := o.start(l, members)
	if err != nil {
		return err
	}
	<-ctx.Done()
	members.Leave()
	return n.Stop(false)
}

// callTime is after how long a call between nodes has failed.
const callTime = 5 * time.Second

// start is the wiring: the node of the flagship on other pieces.
func (o options) start(l net.Listener, members *members) (*node.Node, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second, DisableCompression: true}
	client := &http.Client{Timeout: callTime, Transport: transport}
	platform := node.Platform{
		Open:    openEngine,
		Members: func(string, string, []ring.Node, node.Peers) (node.Members, error) { return members, nil },
	}
	return node.Start(o.name, o.dir, o.settings, platform, l, node.HTTPPeers(client, o.name, members.Addr))
}
