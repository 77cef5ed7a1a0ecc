// Command replica is the step between the quickstart and the flagship: three
// nodes in memory, one of them down, and two clients who write at the same time.
// A ring says which nodes hold a key, a quorum says how many answers are enough,
// and clocks say which values are in conflict.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/ring"
	"github.com/distkit/distkit/vclock"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// cart is what a key holds: the values that nobody has replaced yet.
type cart = vclock.Siblings[string]

// node keeps carts in memory. A real one keeps them on disk, and is somewhere
// else; nothing else would change.
type node struct {
	mu    sync.Mutex
	carts map[string]cart
	down  atomic.Bool
}

var errDown = errors.New("does not answer")

func (n *node) merge(key string, c cart) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down.Load() {
		return errDown
	}
	n.carts[key] = n.carts[key].Merge(c)
	return nil
}

func (n *node) get(key string) (cart, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down.Load() {
		return cart{}, errDown
	}
	return n.carts[key], nil
}

// store is a coordinator: it could run in any client or any node.
type store struct {
	ring   *ring.Ring
	quorum *quorum.Coordinator
	nodes  map[string]*node
}

// get reads two of three nodes, and repairs a third that was behind.
func (s *store) get(ctx context.Context, key string) (cart, error) {
	result, err := quorum.Read(ctx, s.quorum, s.ring.AppendOwnersString(nil, key, 3), quorum.Op[cart]{
		Call:   func(_ context.Context, t quorum.Target) (cart, error) { return s.nodes[t.Node].get(key) },
		Merge:  cart.Merge,
		Same:   cart.Equal,
		Repair: func(_ context.Context, t quorum.Target, c cart) error { return s.nodes[t.Node].merge(key, c) },
	})
	return result.Value, err
}

// put writes what a client made of the cart that it had read. server is who
// counts the write.
func (s *store) put(ctx context.Context, key string, seen vclock.Clock, server, value string) (quorum.Receipt, error) {
	known, err := s.get(ctx, key)
	if err != nil {
		return quorum.Receipt{}, err
	}
	next, _ := known.Put(seen, server, value)
	return quorum.Write(ctx, s.quorum, s.ring.AppendOwnersString(nil, key, 3), quorum.WriteOp{
		Call: func(_ context.Context, t quorum.Target) error { return s.nodes[t.Node].merge(key, next) },
	})
}

func run(_ []string, _ io.Reader, out io.Writer) error {
	ctx := context.Background()
	r, err := ring.New(ring.Nodes("a", "b", "c"))
	if err != nil {
		return err
	}
	c, err := quorum.New(3, 2, 2, quorum.WithRepair(quorum.RepairBlocking))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	s := &store{r, c, map[string]*node{"a": {carts: map[string]cart{}}, "b": {carts: map[string]cart{}}, "c": {carts: map[string]cart{}}}}
	const key = "cart:7"
	fmt.Fprintf(out, "%s is on %v; reads and writes of two of them meet: %v\n", key, r.AppendOwnersString(nil, key, 3), c.Strict())

	if _, err := s.put(ctx, key, vclock.Clock{}, "server-1", "milk"); err != nil {
		return err
	}
	read, err := s.get(ctx, key)
	if err != nil {
		return err
	}
	s.nodes["b"].down.Store(true)
	fmt.Fprintln(out, "b is down; two clients who have both read", text(read), "write:")
	for _, w := range []struct{ server, value string }{{"server-1", "milk, eggs"}, {"server-2", "milk, tea"}} {
		receipt, err := s.put(ctx, key, read.Context(), w.server, w.value)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %q through %s: ok, %d of 3 have it\n", w.value, w.server, len(receipt.Acked))
	}
	if read, err = s.get(ctx, key); err != nil {
		return err
	}
	fmt.Fprintln(out, "neither is lost:", text(read), "seen:", read.Context())
	if _, err := s.put(ctx, key, read.Context(), "server-1", "milk, eggs, tea"); err != nil {
		return err
	}
	s.nodes["b"].down.Store(false)
	for range 2 { // a read may be enough with the two that are in step
		if read, err = s.get(ctx, key); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "merged by who saw both:", text(read))
	return nil
}

// text lists the values of a cart.
func text(c cart) string { return "[" + strings.Join(slices.Sorted(c.Values()), " | ") + "]" }
