package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/examples/internal/node"
)

// sim is a platform in fake time that a seed drives: messages take their time
// and are lost, disks are slow and forget in a crash what was not synced.
//
// Delays depend on what is sent and how often it was sent before, not on the
// order in which goroutines run, so that a seed plays nearly the same story again.
type sim struct {
	seed  uint64
	start time.Time
	nodes func(name string) *node.Node

	mu    sync.Mutex
	sent  map[string]uint64
	disks map[string]*simDisk
	lives map[string]int
}

func newSim(seed uint64) *sim {
	return &sim{seed: seed, start: time.Now(), sent: map[string]uint64{}, disks: map[string]*simDisk{}, lives: map[string]int{}}
}

func (s *sim) platform() Platform {
	return Platform{
		Platform: node.Platform{
			Open:  s.open,
			Actor: func(name string) string { return fmt.Sprintf("%s~%d", name, s.count("life "+name)) },
			Rand:  func(name string) *rand.Rand { return rand.New(rand.NewPCG(s.seed, s.draw("rand "+name))) },
		},
		Listen:    func(string) (net.Listener, error) { return nil, nil },
		Transport: s,
		Remove: func(dir string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			maps.DeleteFunc(s.disks, func(path string, _ *simDisk) bool { return strings.HasPrefix(path, dir+"/") })
			return os.RemoveAll(dir)
		},
	}
}

// count returns how often what happened before.
func (s *sim) count(what string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[what]++
	return s.sent[what]
}

// draw returns a number that depends on the seed, on what happens, and on how
// often it happened before.
func (s *sim) draw(what string) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, s.seed, " ", s.count(what), " ", what)
	return rand.NewPCG(h.Sum64(), s.seed).Uint64()
}

// delay is 0.1 to 1.6 ms, and now and then some 50 ms more.
func delay(draw uint64) time.Duration {
	d := 100*time.Microsecond + time.Duration(draw%1_500_000)
	if draw>>32%64 == 0 {
		d += time.Duration(draw >> 40 % 50_000_000)
	}
	return d
}

// RoundTrip carries a request to the node that its host names.
func (s *sim) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	what := r.Method + " " + r.URL.String() + r.Header.Get(node.HeaderFrom) + r.Header.Get(node.HeaderClient)
	if r.URL.Path == "/i/put" || r.URL.Path == "/i/get" {
		what += whose(body)
	}
	there, back := s.draw(what), s.draw(what)
	if err := pause(r.Context(), delay(there)); err != nil {
		return nil, err
	}
	n := s.nodes(r.URL.Host)
	if n == nil {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(n.Life(), cancel)()
	on := httptest.NewRequestWithContext(ctx, r.Method, r.URL.String(), bytes.NewReader(body))
	on.Header = r.Header.Clone()
	answer := httptest.NewRecorder()
	served := make(chan struct{})
	go func() {
		defer close(served)
		n.ServeHTTP(answer, on)
	}()
	select {
	case <-served:
	case <-ctx.Done():
	}
	if n.Life().Err() != nil || back>>16%200 == 0 {
		return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET} // it may have been done
	}
	if err := pause(r.Context(), delay(back)); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// whose returns the owner and the key that a message about a copy begins with,
// each with its length before it. What follows may differ from play to play.
func whose(message []byte) string {
	rest := message
	for range 2 {
		n, size := binary.Uvarint(rest)
		rest = rest[size+int(n):]
	}
	return string(message[:len(message)-len(rest)])
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// simDisk is what a disk holds: a log, of which a crash keeps what was synced and
// some of what was not.
type simDisk struct {
	mu     sync.Mutex
	log    []simRecord
	synced int
}

type simRecord struct {
	key   string
	value []byte
}

// simEngine is an Engine on a simDisk.
type simEngine struct {
	sim    *sim
	name   string
	disk   *simDisk
	held   map[string][]byte
	closed bool
}

func (s *sim) open(dir string, _ node.Fsync) (node.Engine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s.mu.Lock()
	disk := s.disks[dir]
	if disk == nil {
		disk = &simDisk{}
		s.disks[dir] = disk
	}
	s.mu.Unlock()
	e := &simEngine{sim: s, name: dir[strings.Index(dir, "node-"):], disk: disk, held: map[string][]byte{}}
	for _, r := range disk.log {
		if e.held[r.key] = r.value; r.value == nil {
			delete(e.held, r.key)
		}
	}
	return e, nil
}

func (e *simEngine) Get(key string) ([]byte, bool, error) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	if e.closed {
		return nil, false, os.ErrClosed
	}
	value, ok := e.held[key]
	return value, ok, nil
}

func (e *simEngine) Put(key string, value []byte) (func() error, error) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	if e.closed {
		return nil, os.ErrClosed
	}
	e.held[key] = value
	e.disk.log = append(e.disk.log, simRecord{key, value})
	at := len(e.disk.log)
	return func() error {
		time.Sleep(delay(e.sim.draw("sync " + e.name + key)))
		e.disk.mu.Lock()
		defer e.disk.mu.Unlock()
		if e.closed {
			return os.ErrClosed
		}
		e.disk.synced = max(e.disk.synced, at)
		return nil
	}, nil
}

func (e *simEngine) Delete(key string) error {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	if e.closed {
		return os.ErrClosed
	}
	delete(e.held, key)
	e.disk.log = append(e.disk.log, simRecord{key, nil})
	return nil
}

func (e *simEngine) All() (iter.Seq2[string, []byte], error) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	return maps.All(maps.Clone(e.held)), nil
}

func (e *simEngine) Stats() node.EngineStats { return node.EngineStats{} }

func (e *simEngine) Close(died bool) error {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	if lost := len(e.disk.log) - e.disk.synced; died && lost > 0 {
		e.disk.log = e.disk.log[:len(e.disk.log)-int(e.sim.draw("crash "+e.name)%uint64(lost+1))]
	}
	e.disk.synced = len(e.disk.log)
	return nil
}

// digest sums up the first second of a story, to compare two of the same seed.
// Later they may part: what happens in the same instant may change places.
type digest struct {
	mu     sync.Mutex
	sum    uint64
	events int
}

func (d *digest) add(at time.Duration, event string) {
	if at > time.Second {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sum += distkit.HashString(at.String() + event)
	d.events++
}

var errStory = errors.New("the story went wrong")
