package gateway

import (
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// backends are a, b and so on, of these weights.
func backends(weights ...int) []*backend {
	var all []*backend
	for i, w := range weights {
		b, err := parseBackend(fmt.Sprintf("http://%c,weight=%d", 'a'+i, w))
		if err != nil {
			panic(err)
		}
		all = append(all, b)
	}
	return all
}

func balancing(t *testing.T, name string, all []*backend) balancer {
	t.Helper()
	x, err := newBalancer(name, nil)
	require.NoError(t, err)
	x.alive(all)
	return x
}

func from(client, path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(client), 1234).String()
	return r
}

// sequence are the names of who gets n requests that end at once.
func sequence(x balancer, n int) string {
	var names []string
	for range n {
		b, release := x.acquire(from("192.0.2.1", "/"))
		release()
		names = append(names, b.url.Host)
	}
	return strings.Join(names, " ")
}

func TestRoundRobin(t *testing.T) {
	all := backends(1, 1, 1)
	x := balancing(t, "roundrobin", all)
	assert.Equal(t, "a b c a b c a", sequence(x, 7))
	x.alive(all[1:])
	assert.Equal(t, "c b c b", sequence(x, 4))
}

// The sequence of 5, 1 and 1 is the one that nginx gives as its example.
func TestWeighted(t *testing.T) {
	all := backends(5, 1, 1)
	x := balancing(t, "weighted", all)
	assert.Equal(t, "a a b a c a a a a b a c a a", sequence(x, 14))
	sequence(x, 3)
	x.alive(all[1:])
	assert.Equal(t, "b c b c", sequence(x, 4))
	x.alive(all)
	assert.Equal(t, "a a b a c a a", sequence(x, 7), "as at the beginning")
}

func TestLeast(t *testing.T) {
	all := backends(1, 2, 1)
	x := balancing(t, "least", all)
	var got []string
	var releases []func()
	for range 8 { // none ends: b may have twice as many
		b, release := x.acquire(nil)
		got, releases = append(got, b.url.Host), append(releases, release)
	}
	assert.Equal(t, "a b c b c a b b", strings.Join(got, " "))
	releases[5]()
	releases[0]() // a has none any more
	b, _ := x.acquire(nil)
	assert.Equal(t, "a", b.url.Host)
	for _, b := range all {
		b.busy.Store(0)
	}
	assert.Equal(t, "b c a b c a", sequence(x, 6), "idle ones have their turns")
}

func TestIPHash(t *testing.T) {
	all := backends(1, 2, 1)
	x := balancing(t, "iphash", all)
	const clients = 4000
	who := func() (owners []*backend) {
		for i := range clients {
			b, _ := x.acquire(from(fmt.Sprintf("10.0.%d.%d", i/200, i%200), fmt.Sprint("/", i)))
			owners = append(owners, b)
		}
		return owners
	}
	before := who()
	assert.Equal(t, before, who(), "whatever they ask for")
	share := map[*backend]int{}
	for _, b := range before {
		share[b]++
	}
	for _, b := range all {
		lo, hi := testkit.RateBounds(float64(b.weight)/4, clients, 4)
		rate := float64(share[b]) / clients
		assert.True(t, rate >= lo && rate <= hi, "%s has %v, want %v to %v", b.name, rate, lo, hi)
	}
	x.alive(all[:2])
	moved := 0
	for i, b := range who() {
		if before[i] == all[2] {
			moved++
		} else {
			assert.Same(t, before[i], b, "only clients of who died move")
		}
		assert.NotSame(t, all[2], b)
	}
	assert.Equal(t, share[all[2]], moved)
	a, _ := x.acquire(from("2001:db8:1:2::3", "/"))
	for i := range 64 {
		b, _ := x.acquire(from(fmt.Sprintf("2001:db8:1:2:%x::", i+1), "/"))
		assert.Same(t, a, b, "a /64 is one client")
	}
}

// No backend has more under way than its share and a quarter, rounded up; a path
// that is alone stays where it is.
func TestBounded(t *testing.T) {
	all := backends(1, 1, 2)
	x := balancing(t, "bounded", all)
	home, release := x.acquire(from("192.0.2.1", "/hot"))
	release()
	for i := range 20 {
		b, release := x.acquire(from(fmt.Sprint("192.0.2.", i), "/hot"))
		assert.Same(t, home, b)
		release()
	}
	load := map[*backend]int{}
	var releases []func()
	for i := range 200 {
		b, release := x.acquire(from("192.0.2.1", "/hot"))
		load[b]++
		most := math.Ceil(loadFactor * float64(i+1) * float64(b.weight) / 4)
		assert.LessOrEqual(t, float64(load[b]), most)
		releases = append(releases, release)
	}
	assert.Len(t, load, 3, "a hot path is served by all")
	x.alive(all[:2]) // what is under way on the third is not forgotten
	for _, release := range releases {
		release()
	}
	assert.Zero(t, x.(*bounded).work.Total())
	seen := map[string]bool{}
	for i := range 64 {
		b, release := x.acquire(from("192.0.2.1", fmt.Sprint("/", i)))
		seen[b.name] = true
		release()
	}
	assert.Len(t, seen, 2)
}

func TestNobodyIsAlive(t *testing.T) {
	for _, name := range balancerNames() {
		x := balancing(t, name, nil)
		b, release := x.acquire(from("192.0.2.1", "/"))
		assert.Nil(t, b, name)
		release()
		all := backends(1)
		x.alive(all)
		b, _ = x.acquire(from("192.0.2.1", "/"))
		assert.Same(t, all[0], b, name)
	}
}

// Requests go on while backends come and go, and none is lost in the count.
func TestBalancersConcurrently(t *testing.T) {
	for _, name := range balancerNames() {
		all := backends(1, 2, 3)
		x := balancing(t, name, all)
		var group sync.WaitGroup
		for g := range 4 {
			group.Go(func() {
				for i := range 300 {
					b, release := x.acquire(from("192.0.2.1", fmt.Sprintf("/%d/%d", g, i)))
					assert.NotNil(t, b)
					release()
				}
			})
		}
		for i := range 50 {
			x.alive(all[i%3:])
		}
		group.Wait()
		for _, b := range all {
			assert.Zero(t, b.busy.Load())
		}
		if x, ok := x.(*bounded); ok {
			assert.Zero(t, x.work.Total())
		}
	}
}
