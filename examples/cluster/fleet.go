package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fleet runs nodes as processes of this very program. Their standard input ends
// with this process, and they with it.
type fleet struct {
	dir   string
	names []string
	zones int
	args  []string // for all

	mu    sync.Mutex
	nodes map[string]*process // also those that were killed: their addresses are kept
}

// process is a node that runs or has run.
type process struct {
	http, gossip string

	cmd   *exec.Cmd // nil when it does not run
	stdin io.Closer
	log   *os.File
}

const (
	startTime = 20 * time.Second // for a process to say where it listens
	stopTime  = 5 * time.Second  // for it to end in order
)

// newFleet names nodes in zones, in turn. All get args.
func newFleet(dir string, nodes, zones int, args ...string) *fleet {
	f := &fleet{dir: dir, zones: zones, args: append(args, "-expect", strconv.Itoa(nodes)), nodes: map[string]*process{}}
	for i := range nodes {
		f.names = append(f.names, fmt.Sprintf("node-%d", i+1))
	}
	return f
}

func (f *fleet) zoneOf(name string) string {
	return fmt.Sprintf("zone-%c", 'a'+slices.Index(f.names, name)%f.zones)
}

// start starts a node that does not run: where it listened before if it has, or
// elsewhere if somebody has taken that.
func (f *fleet) start(ctx context.Context, name string) error {
	f.mu.Lock()
	old, seeds := f.nodes[name], []string(nil)
	for other, p := range f.nodes {
		if other != name {
			seeds = append(seeds, p.gossip)
		}
	}
	f.mu.Unlock()
	args := append([]string{"-node", name, "-zone", f.zoneOf(name), "-dir", f.folder(name), "-until-eof"}, f.args...)
	if seeds != nil {
		args = append(args, "-join", strings.Join(seeds, ","))
	}
	var p *process
	err := errors.New("it has no address yet")
	switch {
	case old != nil && old.cmd != nil:
		return fmt.Errorf("%s runs already", name)
	case old != nil:
		p, err = f.launch(ctx, name, append(slices.Clone(args), "-http", old.http, "-gossip", old.gossip))
	}
	if err != nil {
		if p, err = f.launch(ctx, name, args); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[name] = p
	return nil
}

// launch starts a process and waits until it says where it listens.
func (f *fleet) launch(ctx context.Context, name string, args []string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(f.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{log: log, cmd: exec.Command(self, args...)}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), processEnv+"=1"), log
	stdin, err := p.cmd.StdinPipe()
	stdout, err2 := p.cmd.StdoutPipe()
	if err = errors.Join(err, err2); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	p.stdin = stdin
	late := time.AfterFunc(startTime, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	defer context.AfterFunc(ctx, func() { p.cmd.Process.Kill() })()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		_, err = fmt.Sscanf(line, name+" http=%s gossip=%s\n", &p.http, &p.gossip)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not start: %w\n%s", name, err, f.lastWords(name)), p.kill())
	}
	return p, nil
}

// processEnv tells a process that it is to be a node. The program need not know,
// its tests must.
const processEnv = "CLUSTER_PROCESS"

func (f *fleet) folder(name string) string { return filepath.Join(f.dir, name) }

// lastWords returns the end of what a node has logged.
func (f *fleet) lastWords(name string) string {
	log, err := os.ReadFile(filepath.Join(f.dir, name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-1000):])
}

// addr returns where a node serves, or served, HTTP.
func (f *fleet) addr(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.nodes[name]; p != nil {
		return p.http
	}
	return ""
}

// running returns the names of the nodes that run.
func (f *fleet) running() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range f.names {
		if p := f.nodes[name]; p != nil && p.cmd != nil {
			names = append(names, name)
		}
	}
	return names
}

// take gives the named process to the caller, who ends it.
func (f *fleet) take(name string) (*process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.nodes[name]
	if p == nil || p.cmd == nil {
		return nil, fmt.Errorf("node is %q, want one that runs", name)
	}
	f.nodes[name] = &process{http: p.http, gossip: p.gossip}
	return p, nil
}

// kill ends a node by SIGKILL.
func (f *fleet) kill(name string) error {
	p, err := f.take(name)
	if err != nil {
		return err
	}
	return p.kill()
}

func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
	return errors.Join(err, p.release())
}

func (p *process) release() error {
	_ = p.stdin.Close() // Wait may have closed it
	return p.log.Close()
}

// stop ends a node in order: it tells the others, writes what waits, and says by
// its status that nothing went wrong.
func (f *fleet) stop(name string) error {
	p, err := f.take(name)
	if err != nil {
		return err
	}
	late := time.AfterFunc(stopTime, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	err = p.stdin.Close()
	if err = errors.Join(err, p.cmd.Wait(), p.release()); err != nil {
		err = fmt.Errorf("%s: %w\n%s", name, err, f.lastWords(name))
	}
	return err
}

// wipe removes all that a node which does not run has on disk.
func (f *fleet) wipe(name string) error {
	if slices.Contains(f.running(), name) {
		return fmt.Errorf("%s runs: its disk is in use", name)
	}
	return os.RemoveAll(f.folder(name))
}

// close ends all nodes in order, at the same time.
func (f *fleet) close() error {
	running := f.running()
	errs := make([]error, len(running))
	var wg sync.WaitGroup
	for i, name := range running {
		wg.Go(func() { errs[i] = f.stop(name) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
