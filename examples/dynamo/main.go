// Command dynamo is a Dynamo-style store of five nodes in one process, made of
// distkit's packages and the standard library: real sockets on the loopback
// interface, real files, real input. It plays a script in which a node dies and
// comes back, a zone dies, the network is cut, a disk is lost, a client floods
// and a node joins, and proves that nothing acknowledged was lost.
//
//	go run ./examples/dynamo                 # with a page to watch
//	go run ./examples/dynamo -headless       # a report, and status 1 if an invariant is violated
//
// What a node is made of, and how it reads and writes, is in the package
// examples/internal/node. The files here, in the order in which they are worth
// reading: cluster.go, platform.go and network.go (what the nodes run on),
// workload.go and driver.go (the traffic), scenario.go, conflict.go, zones.go,
// flood.go and join.go (the script), report.go, check.go and exact.go (the proof),
// web.go, state.go, recent.go and inspect.go (the page).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A goroutine that waits for the disk holds its processor until the scheduler
	// takes it back, up to 10 ms later: five logs need more processors than cores.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), nodeCount+3))
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

type options struct {
	headless bool
	duration time.Duration
	seed     uint64
	input    string
	addr     string
	dir      string
	items    int
	clients  int
	route    node.Route
	settings node.Settings
}

const (
	nodeCount = 5
	zoneCount = 3
	minGrace  = 10 * time.Second // two calls between nodes, each of which ends after 5 s
)

// run returns the exit status: 0, 1 for a failure or a violated invariant, 2 for
// a command line that makes no sense.
func run(ctx context.Context, args []string, stdin io.Reader, out, errs io.Writer) int {
	o, err := parseFlags(args, errs)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(errs, "dynamo: %v\n", err)
		return 2
	}
	if err := o.play(ctx, stdin, out); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintf(errs, "dynamo: %v\n", err)
		return 1
	}
	return 0
}

func parseFlags(args []string, errs io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("dynamo", flag.ContinueOnError)
	f.SetOutput(io.Discard) // one line is enough, except for -help
	f.BoolVar(&o.headless, "headless", false, "play the script, print the report, end")
	f.DurationVar(&o.duration, "duration", 0, "of the phases with traffic (default 18s headless, else 60s)")
	f.Uint64Var(&o.seed, "seed", 1, "of the clients' choices")
	f.StringVar(&o.input, "input", "", "`file` with an access log or text, - for standard input (default the Go source tree)")
	f.IntVar(&o.items, "items", maxItems, "`files` or lines of the input to load, at most")
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "`address` of the page, on the loopback interface")
	f.StringVar(&o.dir, "dir", "", "`folder` to keep the data in (default a temporary one, removed at the end)")
	f.IntVar(&o.clients, "clients", 16, "clients that send requests at the same time")
	f.IntVar(&o.settings.N, "n", 3, "copies of every key")
	f.IntVar(&o.settings.R, "r", 2, "answers that a read waits for")
	f.IntVar(&o.settings.W, "w", 2, "acknowledgments that a write waits for")
	f.BoolVar(&o.settings.Strict, "strict", false, "count answers of owners only, not of stand-ins")
	route := f.String("route", string(node.RouteAware), "whom clients ask: aware (an owner of the key) or any (a node at random, as a balancer does)")
	fsync := f.String("fsync", string(node.FsyncGroup), "when a write counts as on disk: always, group or off")
	f.DurationVar(&o.settings.RepairEvery, "repair-every", 2*time.Second, "between two comparisons of a node's copies with another's")
	f.DurationVar(&o.settings.Grace, "grace", 15*time.Second, "before a deleted key is forgotten, longer than any message is under way; 0 for never")
	f.Float64Var(&o.settings.HintRate, "hint-rate", 2000, "hints a second that a node hands back to an owner")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(errs)
			f.Usage()
		}
		return o, err
	}
	if o.duration == 0 {
		o.duration = time.Minute
		if o.headless {
			o.duration = 18 * time.Second
		}
	}
	o.settings.Fsync, o.route = node.Fsync(*fsync), node.Route(*route)
	return o, o.check(f.Args())
}

func (o options) check(rest []string) error {
	s := o.settings
	switch {
	case len(rest) > 0:
		return fmt.Errorf("argument is %q, want none", rest[0])
	case s.Fsync != node.FsyncAlways && s.Fsync != node.FsyncGroup && s.Fsync != node.FsyncOff:
		return fmt.Errorf("-fsync is %q, want always, group or off", s.Fsync)
	case o.route != node.RouteAware && o.route != node.RouteAny:
		return fmt.Errorf("-route is %q, want aware or any", o.route)
	case o.duration < time.Second || o.duration > time.Hour:
		return fmt.Errorf("-duration is %v, want 1s to 1h", o.duration)
	case o.items < 1 || o.items > maxItems:
		return fmt.Errorf("-items is %d, want 1 to %d", o.items, maxItems)
	case o.clients < 1 || o.clients > 1000:
		return fmt.Errorf("-clients is %d, want 1 to 1000", o.clients)
	case s.N < 1 || s.N > nodeCount:
		return fmt.Errorf("-n is %d, want 1 to %d", s.N, nodeCount)
	case s.R < 1 || s.R > s.N:
		return fmt.Errorf("-r is %d, want 1 to %d", s.R, s.N)
	case s.W < 1 || s.W > s.N:
		return fmt.Errorf("-w is %d, want 1 to %d", s.W, s.N)
	case s.RepairEvery < time.Millisecond:
		return fmt.Errorf("-repair-every is %v, want at least 1ms", s.RepairEvery)
	case s.Grace != 0 && s.Grace < minGrace:
		return fmt.Errorf("-grace is %v, want 0 or at least %v", s.Grace, minGrace)
	case !(s.HintRate > 0):
		return fmt.Errorf("-hint-rate is %v, want more than 0", s.HintRate)
	}
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return fmt.Errorf("-addr is %q, want host:port", o.addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("-addr is %q, want an address of the loopback interface: there is no authentication", o.addr)
	}
	return nil
}

// play runs the cluster and the script. Without -headless it serves the page
// and goes on with traffic until ctx is done.
func (o options) play(ctx context.Context, stdin io.Reader, out io.Writer) (err error) {
	work, err := openWorkload(o.input, stdin)
	if err != nil {
		return err
	}
	work.Items = work.Items[:min(o.items, len(work.Items))]
	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "dynamo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	c, err := startCluster(dir, nodeCount, zoneCount, o.settings, realPlatform())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	client, err := node.NewClient(ctx, c.client, c.Addr, c.Members()[0].ID, o.route)
	if err != nil {
		return err
	}
	d := &driver{
		client: client,
		usual:  [2]int{o.settings.R, o.settings.W}, clients: o.clients, seed: o.seed, work: work, history: newHistory(), exact: newExactUsage(),
	}
	s := &scenario{cluster: c, driver: d, duration: o.duration, report: &report{out: out}, notice: func(string) {}}
	if o.headless {
		return s.run(ctx)
	}
	page, err := servePage(o.addr, c, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, page.Close()) }()
	fmt.Fprintf(out, "watch it at %s (interrupt to end)\n", page.URL())
	s.notice = page.Notice
	err = s.run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	return o.linger(ctx, s, page)
}

// linger keeps traffic going for whoever watches, until they interrupt.
func (o options) linger(ctx context.Context, s *scenario, page *page) error {
	page.Notice("the script is over and every invariant held; kill and revive nodes as you like")
	traffic, stop := s.driver.openTraffic()
	defer stop()
	for ctx.Err() == nil {
		s.driver.serve(ctx, traffic, time.Minute)
	}
	return nil
}
