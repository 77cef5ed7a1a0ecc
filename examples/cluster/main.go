// Command cluster runs the store of examples/dynamo as it would run in
// production: each node a process of its own, which keeps its keys in a bbolt
// file and finds the others by hashicorp/memberlist.
//
//	go run ./examples/cluster        # starts five of itself, kills some, and checks
//
//	cluster -node a -zone z1 -dir a -gossip 127.0.0.1:7001 -http 127.0.0.1:8001
//	cluster -node b -zone z2 -dir b -gossip 127.0.0.1:7002 -http 127.0.0.1:8002 -join 127.0.0.1:7001
//	cluster -node c -zone z3 -dir c -gossip 127.0.0.1:7003 -http 127.0.0.1:8003 -join 127.0.0.1:7001,127.0.0.1:7002
//
// The node itself is the package examples/internal/node, the same that dynamo
// runs: this program gives it another node.Engine (engine.go) and other
// node.Members (members.go, delegate.go, meta.go), and wires them in process.go.
// What else is here is the demonstration: fleet.go starts and kills processes,
// traffic.go writes and checks, demo.go is the script.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

type options struct {
	name, zone, dir string
	http, gossip    string
	join            string
	expect          int
	untilEOF        bool
	duration        time.Duration
	settings        node.Settings
}

// run returns the exit status: 0, 1 for a failure or a lost write, 2 for a command
// line that makes no sense.
func run(ctx context.Context, args []string, stdin io.Reader, out, errs io.Writer) int {
	o, err := parseFlags(args, errs)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(errs, "cluster: %v\n", err)
		return 2
	}
	if o.name != "" {
		err = o.serve(ctx, stdin, out, errs)
	} else {
		err = o.demonstrate(ctx, out)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintf(errs, "cluster: %v\n", err)
		return 1
	}
	return 0
}

func parseFlags(args []string, errs io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("cluster", flag.ContinueOnError)
	f.SetOutput(io.Discard) // one line is enough, except for -help
	f.StringVar(&o.name, "node", "", "`name` of the node to run; without it, the demonstration")
	f.StringVar(&o.zone, "zone", "", "`zone` of the node: copies of a key go to different ones")
	f.StringVar(&o.dir, "dir", "", "`folder` of the node")
	f.StringVar(&o.join, "join", "", "where other nodes gossip, as `host:port,...`: any that runs will do, all are better")
	f.StringVar(&o.gossip, "gossip", "127.0.0.1:0", "`address` to gossip at, TCP and UDP")
	f.StringVar(&o.http, "http", "127.0.0.1:0", "`address` of the API")
	f.IntVar(&o.expect, "expect", 3, "how many nodes found the cluster, at its first start")
	f.DurationVar(&o.duration, "duration", 8*time.Second, "of the traffic in the demonstration")
	f.BoolVar(&o.untilEOF, "until-eof", false, "end when standard input does, as whoever started this process ends")
	f.IntVar(&o.settings.N, "n", 3, "copies of every key")
	f.IntVar(&o.settings.R, "r", 2, "answers that a read waits for")
	f.IntVar(&o.settings.W, "w", 2, "acknowledgments that a write waits for")
	fsync := f.String("fsync", string(node.FsyncGroup), "when a write counts as on disk: group or off")
	f.DurationVar(&o.settings.RepairEvery, "repair-every", 2*time.Second, "between two comparisons of a node's copies with another's")
	f.DurationVar(&o.settings.Grace, "grace", time.Minute, "before a deleted key is forgotten, longer than any message is under way; 0 for never")
	f.Float64Var(&o.settings.HintRate, "hint-rate", 2000, "hints a second that a node hands back to an owner")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(errs)
			f.Usage()
		}
		return o, err
	}
	o.settings.Fsync = node.Fsync(*fsync)
	return o, o.check(f.Args())
}

func (o options) check(rest []string) error {
	s := o.settings
	switch {
	case len(rest) > 0:
		return fmt.Errorf("argument is %q, want none", rest[0])
	case o.name == "" && (o.zone != "" || o.dir != "" || o.join != ""):
		return errors.New("-zone, -dir and -join are of a node: want -node")
	case o.name != "" && o.dir == "":
		return errors.New("-dir is missing: a node needs a folder of its own")
	case len(o.name) > 255 || len(o.zone) > 255:
		return errors.New("-node or -zone is too long, want at most 255 bytes")
	case o.duration < time.Second || o.duration > time.Hour:
		return fmt.Errorf("-duration is %v, want 1s to 1h", o.duration)
	case o.expect < 1:
		return fmt.Errorf("-expect is %d, want at least 1", o.expect)
	case s.N < 1 || o.name == "" && s.N > nodeCount:
		return fmt.Errorf("-n is %d, want 1 to %d, the number of nodes", s.N, nodeCount)
	case s.R < 1 || s.R > s.N:
		return fmt.Errorf("-r is %d, want 1 to %d", s.R, s.N)
	case s.W < 1 || s.W > s.N:
		return fmt.Errorf("-w is %d, want 1 to %d", s.W, s.N)
	case o.name != "" && o.expect < s.N:
		return fmt.Errorf("-expect is %d, want at least -n, which is %d", o.expect, s.N)
	case s.Fsync != node.FsyncGroup && s.Fsync != node.FsyncOff:
		return fmt.Errorf("-fsync is %q, want group or off", s.Fsync)
	case s.RepairEvery < time.Millisecond:
		return fmt.Errorf("-repair-every is %v, want at least 1ms", s.RepairEvery)
	case s.Grace != 0 && s.Grace < 2*callTime:
		return fmt.Errorf("-grace is %v, want 0 or at least %v", s.Grace, 2*callTime)
	case !(s.HintRate > 0):
		return fmt.Errorf("-hint-rate is %v, want more than 0", s.HintRate)
	}
	for _, addr := range []struct{ flag, value string }{{"-http", o.http}, {"-gossip", o.gossip}} {
		at, err := netip.ParseAddrPort(addr.value)
		if err != nil {
			return fmt.Errorf("%s is %q, want address:port", addr.flag, addr.value)
		}
		if !at.Addr().IsLoopback() {
			return fmt.Errorf("%s is %q, want an address of the loopback interface: there is no authentication", addr.flag, addr.value)
		}
	}
	return nil
}

func (o options) seeds() []string {
	if o.join == "" {
		return nil
	}
	return strings.Split(o.join, ",")
}
