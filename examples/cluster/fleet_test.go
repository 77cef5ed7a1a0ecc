package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain makes this binary a node where a fleet starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv(processEnv) != "" {
		main() // which exits
	}
	os.Exit(m.Run())
}

// noneLeft checks that no process of ours is left, zombies included.
func noneLeft(t *testing.T) {
	t.Helper()
	children, err := exec.Command("ps", "--ppid", fmt.Sprint(os.Getpid()), "-o", "pid=,stat=,args=").Output()
	if _, missing := err.(*exec.Error); missing {
		return
	}
	for line := range strings.Lines(string(children)) {
		assert.Contains(t, line, "ps --ppid", "a process is left")
	}
}

// startFleet starts five nodes that agree.
func startFleet(t *testing.T, keys int) *demo {
	t.Helper()
	f := newFleet(t.TempDir(), nodeCount, zoneCount, "-repair-every", "200ms")
	d := &demo{fleet: f}
	t.Cleanup(func() {
		assert.NoError(t, f.close())
		noneLeft(t)
	})
	for _, name := range f.names {
		require.NoError(t, f.start(t.Context(), name))
	}
	var err error
	d.traffic, err = newTraffic(t.Context(), f, 3, 4, keys)
	require.NoError(t, err)
	t.Cleanup(d.traffic.close)
	require.NoError(t, d.await(t.Context(), "one view", d.agree))
	return d
}

// Processes are killed by SIGKILL in the middle of writes, again and again, one at
// a time, two, or all at once; some lose their disks. No acknowledged write is
// lost, and no write fails while at most one node is down.
func TestKilledProcessesLoseNothing(t *testing.T) {
	d := startFleet(t, 20)
	rng := rand.New(rand.NewPCG(1, uint64(os.Getpid())))
	acked := 0
	rounds := []int{1, 1, 2, 1, 5, 1, 2, 5}
	if invariants.Enabled { // other processes do the work: -race has little to find
		rounds = []int{1, 5}
	}
	for round, dead := range rounds {
		wipe := dead == 1 && round%2 == 1
		victims := rng.Perm(nodeCount)[:dead]
		writing, cancel := context.WithCancel(t.Context())
		done := make(chan tally, 1)
		go func() { done <- d.traffic.run(writing) }()
		time.Sleep(100*time.Millisecond + time.Duration(rng.IntN(int(200*time.Millisecond))))
		for _, v := range victims {
			require.NoError(t, d.kill(d.names[v]))
		}
		time.Sleep(200 * time.Millisecond)
		cancel()
		written := <-done
		acked += written.acked
		if dead == 1 {
			require.NoError(t, written.err, "round %d", round)
		}
		for _, v := range victims {
			if wipe {
				require.NoError(t, d.wipe(d.names[v]))
			}
			require.NoError(t, d.start(t.Context(), d.names[v]))
		}
		require.NoError(t, d.await(t.Context(), "one view", d.agree), "round %d", round)
		require.NoError(t, d.await(t.Context(), "equal copies", d.settled), "round %d", round)
		copies, err := d.traffic.check(t.Context())
		require.NoError(t, err, "round %d", round)
		t.Logf("round %d: %d killed, %d writes, %d copies", round, dead, written.acked, copies)
	}
	assert.Greater(t, acked, 12*len(rounds))
}

// A node that ends in order says farewell, and is missed at once; it comes back
// with all that it had.
func TestStopAndStart(t *testing.T) {
	d := startFleet(t, 10)
	require.NoError(t, d.traffic.load(t.Context()).err)
	require.NoError(t, d.await(t.Context(), "equal copies", d.settled))
	before, err := d.traffic.client.State(t.Context(), victim)
	require.NoError(t, err)
	require.NoError(t, d.stop(victim))
	require.NoError(t, d.await(t.Context(), "one view", d.agree))
	assert.Error(t, d.stop(victim), "it does not run")
	assert.Error(t, d.kill(victim), "it does not run")
	assert.Error(t, d.start(t.Context(), "node-1"), "it runs")
	assert.Error(t, d.wipe("node-1"), "it runs")
	require.NoError(t, d.start(t.Context(), victim))
	require.NoError(t, d.await(t.Context(), "one view", d.agree))
	after, err := d.traffic.client.State(t.Context(), victim)
	require.NoError(t, err)
	assert.Equal(t, before.Keys, after.Keys)
	assert.Equal(t, before.Ring, after.Ring)

	// SIGTERM is an end in order too, where there is one.
	p, err := d.take(victim)
	require.NoError(t, err)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err == nil {
		require.NoError(t, p.cmd.Wait())
	}
	require.NoError(t, p.release())
	require.NoError(t, d.await(t.Context(), "one view", d.agree))
}

// The check finds what it is there to find.
func TestCheckFindsLostWrites(t *testing.T) {
	d := startFleet(t, 1)
	require.NoError(t, d.traffic.load(t.Context()).err)
	require.NoError(t, d.await(t.Context(), "equal copies", d.settled))
	copies, err := d.traffic.check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 12, copies)

	d.traffic.acked[1][0]++
	d.traffic.tried[1][0]++
	_, err = d.traffic.check(t.Context())
	assert.ErrorIs(t, err, errLost)
	d.traffic.acked[1][0], d.traffic.tried[1][0] = 0, 0
	_, err = d.traffic.check(t.Context())
	assert.ErrorContains(t, err, "which nobody wrote")
	d.traffic.acked[1][0], d.traffic.tried[1][0] = 1, 1
	_, err = d.traffic.client.Put(t.Context(), keyName(1, 0), vclock.Clock{}, []byte("garbage"))
	require.NoError(t, err)
	require.NoError(t, d.await(t.Context(), "equal copies", d.settled))
	_, err = d.traffic.check(t.Context())
	assert.ErrorContains(t, err, `holds "garbage"`)
}

// A node that cannot start says why.
func TestStartFails(t *testing.T) {
	f := newFleet(t.TempDir(), 5, 3, "-r", "4")
	err := f.start(t.Context(), "node-1")
	assert.ErrorContains(t, err, "-r is 4, want 1 to 3")
	noneLeft(t)
}

// play runs the command as a shell would and checks that nothing is left of it.
func play(t *testing.T, ctx context.Context, args ...string) (status int, out, errs string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	var o, e bytes.Buffer
	status = run(ctx, args, strings.NewReader(""), &o, &e)
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files are left")
	noneLeft(t)
	return status, o.String(), e.String()
}

// shape is a report without its figures.
func shape(report string) string {
	report = regexp.MustCompile(`[0-9]+([.,][0-9]+)*`).ReplaceAllString(report, "#")
	report = regexp.MustCompile(`(?m)^ +`).ReplaceAllString(report, "")
	return regexp.MustCompile(`[ \t]+`).ReplaceAllString(strings.TrimSpace(report), " ")
}

// The demonstration ends well, and the README shows its report.
func TestReportIsTheReadmes(t *testing.T) {
	testkit.NotUnderRace(t) // the processes of other tests are killed there, too
	status, out, errs := play(t, t.Context(), "-duration", "2s", "-repair-every", "300ms")
	require.Equal(t, 0, status, "%s%s", out, errs)
	assert.Empty(t, errs)
	lines := 0
	for line := range strings.Lines(out) {
		lines++
		assert.LessOrEqual(t, len(line), 90, line)
	}
	assert.LessOrEqual(t, lines, 25)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, block, ok := strings.Cut(string(readme), "    $ go run ./examples/cluster\n")
	require.True(t, ok)
	block, _, _ = strings.Cut(block, "\n\n")
	assert.Equal(t, shape(block), shape(out))
}

func TestInterruptCleansUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	status, _, errs := play(t, ctx)
	assert.Equal(t, 1, status)
	assert.Equal(t, "cluster: interrupted\n", errs)
}

func TestBadUsageIsOneLine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "flag provided but not defined: -wat", []string{"-wat"}},
		{2, `argument is "x", want none`, []string{"x"}},
		{2, "-zone, -dir and -join are of a node: want -node", []string{"-zone", "z"}},
		{2, "-dir is missing: a node needs a folder of its own", []string{"-node", "a"}},
		{2, "-node or -zone is too long, want at most 255 bytes", []string{"-node", strings.Repeat("a", 256), "-dir", dir}},
		{2, "-duration is 1ms, want 1s to 1h", []string{"-duration", "1ms"}},
		{2, "-expect is 0, want at least 1", []string{"-expect", "0"}},
		{2, "-expect is 2, want at least -n, which is 3", []string{"-node", "a", "-dir", dir, "-expect", "2"}},
		{2, "-n is 6, want 1 to 5, the number of nodes", []string{"-n", "6"}},
		{2, "-r is 4, want 1 to 3", []string{"-r", "4"}},
		{2, "-w is 0, want 1 to 3", []string{"-w", "0"}},
		{2, `-fsync is "always", want group or off`, []string{"-fsync", "always"}},
		{2, "-repair-every is 0s, want at least 1ms", []string{"-repair-every", "0s"}},
		{2, "-grace is 1s, want 0 or at least 10s", []string{"-grace", "1s"}},
		{2, "-hint-rate is -1, want more than 0", []string{"-hint-rate", "-1"}},
		{2, `-http is "localhost", want address:port`, []string{"-http", "localhost"}},
		{2, `-gossip is "0.0.0.0:1", want an address of the loopback interface: there is no authentication`, []string{"-gossip", "0.0.0.0:1"}},
		{1, "mkdir " + file + ": not a directory", []string{"-node", "a", "-dir", file}},
	} {
		status, _, errs := play(t, t.Context(), c.args...)
		assert.Equal(t, c.status, status, c.args)
		assert.Equal(t, "cluster: "+c.want+"\n", errs)
	}
	status, _, errs := play(t, t.Context(), "-help")
	assert.Equal(t, 0, status)
	assert.Contains(t, errs, "-join host:port,...")
}
