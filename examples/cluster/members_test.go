package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMetaIsShortAndChecked(t *testing.T) {
	for _, m := range []meta{
		{"zone-a", netip.MustParseAddrPort("127.0.0.1:8080")},
		{"", netip.MustParseAddrPort("[::1]:1")},
		{strings.Repeat("z", 255), netip.MustParseAddrPort("[fe80::1%eth0]:65535")},
	} {
		b, err := m.encode()
		require.NoError(t, err)
		assert.LessOrEqual(t, len(b), 1+len(m.zone)+23)
		got, err := decodeMeta(b)
		require.NoError(t, err)
		assert.Equal(t, m, got)
		for cut := range b {
			if got, err := decodeMeta(b[:cut]); err == nil { // the end of a zone of IPv6
				assert.NotEqual(t, m, got)
			}
		}
	}
	_, err := meta{zone: strings.Repeat("z", 256)}.encode()
	assert.ErrorContains(t, err, "256 bytes")
	for _, bad := range []string{"", "\x01", "\xffz", "\x00", "\x00\x7f\x00\x00\x01\x00\x00", "\x00" + strings.Repeat("x", 7)} {
		_, err := decodeMeta([]byte(bad))
		assert.ErrorIs(t, err, errMeta, "%q", bad)
	}
}

func FuzzDecodeMeta(f *testing.F) {
	f.Add([]byte("\x06zone-a\x7f\x00\x00\x01\x50\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := decodeMeta(b); err == nil {
			again, err := m.encode()
			require.NoError(t, err)
			got, err := decodeMeta(again)
			require.NoError(t, err)
			require.Equal(t, m, got)
		}
	})
}

// crowd is memberships in one process.
type crowd struct {
	t    *testing.T
	dir  string
	list map[string]*members
}

func newCrowd(t *testing.T) *crowd { return &crowd{t, t.TempDir(), map[string]*members{}} }

// open lets a node listen, without its having met anybody.
func (c *crowd) open(name string) *members {
	c.t.Helper()
	dir := filepath.Join(c.dir, name)
	require.NoError(c.t, os.MkdirAll(dir, 0o700))
	var seeds []string
	for _, m := range c.list {
		seeds = append(seeds, m.list.LocalNode().Address())
	}
	own := meta{"zone-" + name, netip.MustParseAddrPort("127.0.0.1:" + fmt.Sprint(1000+int(name[0])))}
	m, err := openMembers(name, dir, "127.0.0.1:0", own, seeds, io.Discard)
	require.NoError(c.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	c.list[name] = m
	c.t.Cleanup(func() {
		cancel()
		<-done
		assert.NoError(c.t, m.Close())
	})
	go func() {
		defer close(done)
		m.Run(ctx, func() {})
	}()
	return m
}

func (c *crowd) meet(m *members, expect int) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	return m.Meet(ctx, expect)
}

// crash ends a node without a word.
func (c *crowd) crash(name string) {
	c.t.Helper()
	require.NoError(c.t, c.list[name].Close())
	delete(c.list, name)
}

// eventually waits until all agree on which members there are and who is up.
func (c *crowd) eventually(members string, up string, within time.Duration) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		for _, m := range c.list {
			var names, alive string
			r := m.Ring()
			for i := range r.Len() {
				names += r.Node(i).ID
				if m.Up(r.Node(i).ID) {
					alive += r.Node(i).ID
				}
				if r.Node(i).Zone != "zone-"+r.Node(i).ID {
					return false
				}
			}
			if names != members || alive != up {
				return false
			}
		}
		return true
	}, within, 10*time.Millisecond)
}

// Nodes found a cluster when enough are there; a crash changes who is up, and not
// who is a member; who comes back is up again, elsewhere too, and without its disk;
// a newcomer is a member when somebody says so.
func TestMembers(t *testing.T) {
	c := newCrowd(t)
	a, b := c.open("a"), c.open("b")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	assert.ErrorContains(t, a.Meet(ctx, 3), "of 3 nodes are there")
	met := make(chan error, 2)
	go func() { met <- c.meet(a, 3) }()
	go func() { met <- c.meet(b, 3) }()
	assert.NoError(t, c.meet(c.open("c"), 3))
	assert.NoError(t, <-met)
	assert.NoError(t, <-met)
	c.eventually("abc", "abc", 5*time.Second)
	assert.Equal(t, "127.0.0.1:1098", a.Addr("b"))
	assert.Equal(t, "alive", a.State("b"))
	assert.Equal(t, "unheard", a.State("x"))
	assert.False(t, a.Up("x"))

	start := time.Now()
	c.crash("c")
	c.eventually("abc", "ab", 10*time.Second)
	t.Logf("a crash was noticed after %v", time.Since(start))
	assert.Equal(t, "down", a.State("c"))
	require.NoError(t, c.meet(c.open("c"), 3), "it knows the members from disk")
	c.eventually("abc", "abc", 10*time.Second)

	start = time.Now()
	c.list["b"].Leave()
	c.crash("b")
	c.eventually("abc", "ac", 10*time.Second)
	t.Logf("a farewell was heard after %v", time.Since(start))
	require.NoError(t, os.RemoveAll(filepath.Join(c.dir, "b")))
	require.NoError(t, c.meet(c.open("b"), 3), "it learns the members from the others")
	c.eventually("abc", "abc", 10*time.Second)

	d := c.open("d")
	require.NoError(t, c.meet(d, 1), "it is no founder, whatever it expects")
	c.eventually("abc", "abc", 5*time.Second)
	assert.True(t, a.Up("d"))
	require.NoError(t, c.list["c"].Join(ring.Node{ID: "d", Weight: 1, Zone: "zone-d"}))
	assert.Equal(t, 4, c.list["c"].Ring().Len())
	c.eventually("abcd", "abcd", 5*time.Second)
	assert.Error(t, a.Join(ring.Node{ID: "e"}), "it has no weight")

	// Garbage from the network changes nothing.
	(&delegate{members: a}).NotifyMsg([]byte("garbage"))
	(&delegate{members: a}).MergeRemoteState(nil, false)
	c.eventually("abcd", "abcd", 5*time.Second)
}

// A file of members that is damaged is an error that names it, and no new cluster.
func TestMembersAreRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "members")
	require.NoError(t, os.WriteFile(path, []byte("garbage"), 0o600))
	own := meta{"z", netip.MustParseAddrPort("127.0.0.1:1")}
	_, err := openMembers("a", dir, "127.0.0.1:0", own, nil, io.Discard)
	assert.ErrorContains(t, err, path)
	require.NoError(t, os.Remove(path))
	_, err = openMembers("a", dir, "nowhere", own, nil, io.Discard)
	assert.Error(t, err)
	_, err = openMembers("", dir, "127.0.0.1:0", own, nil, io.Discard)
	assert.Error(t, err)
	own.zone = strings.Repeat("z", 256)
	_, err = openMembers("a", dir, "127.0.0.1:0", own, nil, io.Discard)
	assert.Error(t, err)
}
