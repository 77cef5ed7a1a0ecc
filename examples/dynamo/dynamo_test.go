package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// play runs the command as a shell would and checks that nothing is left of it.
func play(t *testing.T, ctx context.Context, args ...string) (status int, out, errs string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	before := runtime.NumGoroutine()
	var o, e bytes.Buffer
	status = run(ctx, args, strings.NewReader("to be or not to be\n"), &o, &e)
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 3*time.Second, 10*time.Millisecond, "goroutines are left")
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files are left")
	return status, o.String(), e.String()
}

// shape is a report without its figures.
func shape(report string) string {
	report = regexp.MustCompile(`[0-9]+([.,][0-9]+)*`).ReplaceAllString(report, "#")
	report = regexp.MustCompile(`hot keys .*`).ReplaceAllString(report, "hot keys")
	report = regexp.MustCompile(`\b[kM]B\b`).ReplaceAllString(report, "B")
	report = regexp.MustCompile(`(?m)^ +`).ReplaceAllString(report, "")
	return regexp.MustCompile(`[ \t]+`).ReplaceAllString(strings.TrimSpace(report), " ")
}

// The script ends with every invariant held, and the README shows its report.
func TestHeadlessReportIsTheReadmes(t *testing.T) {
	status, out, errs := play(t, t.Context(), "-headless", "-duration", "1s", "-items", "300")
	require.Equal(t, 0, status, "%s%s", out, errs)
	assert.Empty(t, errs)
	assert.Contains(t, out, "I1 no acknowledged write is lost: ok")
	for line := range strings.Lines(out) {
		assert.LessOrEqual(t, len(line), 81, line)
	}

	assert.Equal(t, shape(reportIn(t, "README.md")), shape(out))
	rest := strings.Split(shape(out), "\n")
	for line := range strings.SplitSeq(shape(reportIn(t, "../../README.md")), "\n") { // which leaves some lines out
		i := slices.Index(rest, line)
		require.GreaterOrEqual(t, i, 0, line)
		rest = rest[i+1:]
	}
}

// reportIn returns the report that a README shows.
func reportIn(t *testing.T, path string) string {
	readme, err := os.ReadFile(path)
	require.NoError(t, err)
	_, block, ok := strings.Cut(string(readme), "    $ go run ./examples/dynamo -headless\n")
	require.True(t, ok)
	block, _, _ = strings.Cut(block, "\n\n")
	return block
}

func TestInterruptCleansUp(t *testing.T) {
	for name, args := range map[string][]string{
		"headless":  {"-headless", "-input", "-"},
		"with page": {"-input", "-", "-fsync", "off"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			status, _, errs := play(t, ctx, args...)
			if args[0] == "-headless" {
				assert.Equal(t, 1, status)
				assert.Equal(t, "dynamo: interrupted\n", errs)
			} else {
				assert.Equal(t, 0, status, errs)
			}
		})
	}
}

func TestBadUsageIsOneLine(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	binary := filepath.Join(t.TempDir(), "input")
	require.NoError(t, os.WriteFile(binary, []byte{0, 1, 2, 3}, 0o600))
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "flag provided but not defined: -wat", []string{"-wat"}},
		{2, `-fsync is "sometimes", want always, group or off`, []string{"-fsync", "sometimes"}},
		{2, "-duration is 1ms, want 1s to 1h", []string{"-duration", "1ms"}},
		{2, "-r is 4, want 1 to 3", []string{"-r", "4"}},
		{2, `-route is "scenic", want aware or any`, []string{"-route", "scenic"}},
		{2, "-grace is 1s, want 0 or at least 10s", []string{"-grace", "1s"}},
		{2, "-repair-every is 0s, want at least 1ms", []string{"-repair-every", "0s"}},
		{2, "-items is 0, want 1 to 2000", []string{"-items", "0"}},
		{2, "-n is 6, want 1 to 5", []string{"-n", "6"}},
		{2, "-clients is 0, want 1 to 1000", []string{"-clients", "0"}},
		{2, `argument is "headless", want none`, []string{"headless"}},
		{2, `-addr is "0.0.0.0:80", want an address of the loopback interface: there is no authentication`, []string{"-addr", "0.0.0.0:80"}},
		{1, "-input: open no-such-file: no such file or directory", []string{"-headless", "-input", "no-such-file"}},
		{1, "-input: input holds no words and no requests", []string{"-headless", "-input", binary}},
		{1, fmt.Sprintf("-addr is %q: listen tcp %[1]s: bind: address already in use", busy.Addr()), []string{"-input", "-", "-addr", busy.Addr().String()}},
	} {
		status, _, errs := play(t, t.Context(), c.args...)
		assert.Equal(t, c.status, status, c.args)
		assert.Equal(t, "dynamo: "+c.want+"\n", errs)
	}
}

// testCluster starts five nodes that agree on who is alive.
func testCluster(t *testing.T, s node.Settings) (*Cluster, *node.Client) {
	t.Helper()
	c, err := startCluster(t.TempDir(), nodeCount, zoneCount, s, realPlatform())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	require.NoError(t, within(t.Context(), 10*time.Second, c.AwaitAgreement))
	client, err := node.NewClient(t.Context(), c.client, c.Addr, "node-1", node.RouteAware)
	require.NoError(t, err)
	return c, client
}

var usual = node.Settings{N: 3, R: 2, W: 2, Fsync: node.FsyncOff, HintRate: 10_000, RepairEvery: 200 * time.Millisecond}

// settled waits until all copies agree.
func settled(t *testing.T, c *Cluster) {
	t.Helper()
	require.Eventually(t, func() bool {
		state, err := c.State()
		return err == nil && state.Hints == 0 && state.Diverged == 0
	}, 20*time.Second, 50*time.Millisecond)
}

// With one node of three down nothing fails, its share waits as hints with the
// stand-ins, the ring stays as it is, and when the node is back it gets all.
func TestANodeDiesAndReturns(t *testing.T) {
	t.Parallel()
	c, client := testCluster(t, usual)
	ring := c.Ring().Fingerprint()
	require.NoError(t, c.Kill(victim))
	for i := range 200 {
		a, err := client.Put(t.Context(), fmt.Sprint("key", i), vclock.Clock{}, []byte("value"))
		require.NoError(t, err)
		a, err = client.Get(t.Context(), fmt.Sprint("key", i), a.Context)
		require.NoError(t, err)
		require.Equal(t, [][]byte{[]byte("value")}, a.Values)
	}
	killed := time.Now()
	require.NoError(t, within(t.Context(), 10*time.Second, c.AwaitAgreement))
	t.Logf("noticed %v after the last write", time.Since(killed))
	state, err := c.State()
	require.NoError(t, err)
	assert.NotZero(t, state.Hints)
	assert.Equal(t, ring, c.Ring().Fingerprint(), "a crash changes liveness, never membership")

	require.NoError(t, c.Start(victim))
	require.Eventually(t, func() bool {
		state, err := c.State()
		return err == nil && state.Hints == 0 && state.Diverged == 0
	}, 10*time.Second, 50*time.Millisecond)
	assert.Equal(t, ring, c.Ring().Fingerprint())
	assert.Error(t, c.Start(victim), "it runs")
	assert.Error(t, c.Wipe(victim), "it runs")
	assert.Error(t, c.Kill("node-9"))
	assert.Error(t, c.Start("node-9"))
}

// What was acknowledged under fsync is there after all nodes died at once, and so
// are the hints.
func TestAllNodesDie(t *testing.T) {
	t.Parallel()
	s := usual
	s.Fsync = node.FsyncGroup
	c, client := testCluster(t, s)
	require.NoError(t, c.Kill(victim))
	for i := range 50 {
		_, err := client.Put(t.Context(), fmt.Sprint("key", i), vclock.Clock{}, []byte("value"))
		require.NoError(t, err)
	}
	for _, n := range c.Running() {
		require.NoError(t, c.Kill(n.Name()))
	}
	for _, m := range c.Members() {
		require.NoError(t, c.Start(m.ID))
	}
	require.NoError(t, within(t.Context(), 10*time.Second, c.AwaitAgreement))
	for i := range 50 {
		a, err := client.Get(t.Context(), fmt.Sprint("key", i), vclock.Clock{})
		require.NoError(t, err)
		require.Equal(t, [][]byte{[]byte("value")}, a.Values)
	}
	require.Eventually(t, func() bool {
		state, err := c.State()
		return err == nil && state.Hints == 0 && state.Diverged == 0
	}, 10*time.Second, 50*time.Millisecond)
}

// Latencies keep to their column on a slow machine too.
func TestLatencyIsShort(t *testing.T) {
	assert.Equal(t, "-", latency(nil))
	fast, slow := 260*time.Microsecond, 99_900*time.Microsecond
	assert.Equal(t, "0.3/99.9", latency([]time.Duration{fast, fast, slow}))
	assert.Equal(t, "100/1662", latency([]time.Duration{slow, slow + fast, 1_661_700 * time.Microsecond}))
}
