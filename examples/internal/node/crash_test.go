package node

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var crashRounds = flag.Int("crash.rounds", 20, "how often a node process is killed in the middle of writes")

const crashDir = "DYNAMO_CRASH_DIR" // tells the test binary to be a node

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := serveUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serveUntilKilled is a node, alone, that writes its memory out all the time.
func serveUntilKilled(dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p := Platform{Open: func(dir string, fsync Fsync) (Engine, error) {
		s, err := openStore(dir, fsync)
		if err == nil {
			s.mu.Lock()
			s.limit = 8 << 10
			s.mu.Unlock()
		}
		return s, err
	}}
	peers := HTTPPeers(http.DefaultClient, "node-1", func(string) string { return l.Addr().String() })
	s := Settings{N: 1, R: 1, W: 1, Fsync: FsyncGroup, HintRate: 1, RepairEvery: time.Second, Founders: []ring.Node{{ID: "node-1", Weight: 1}}}
	if _, err := Start("node-1", dir, s, p, l, peers); err != nil {
		return err
	}
	fmt.Println(l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin) // a parent that dies takes this process along
	return err
}

// startProcess starts a node as a process of its own and returns its address.
func startProcess(t *testing.T, dir string) (addr string, kill func()) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	addr, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "the node does not come up again")
	return strings.TrimSpace(addr), func() {
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		stdin.Close()
	}
}

// A node process is killed by SIGKILL in the middle of writes, again and again,
// among them those of segments and of their merging: every key holds the last
// write that was acknowledged, or one that was under way.
func TestKilledProcessesLoseNothing(t *testing.T) {
	const writers, keys = 8, 5
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, uint64(os.Getpid())))
	var acked, tried [writers][keys]int
	writes := 0
	rounds := *crashRounds
	if invariants.Enabled { // as under -race, where a process starts slowly
		rounds = min(rounds, 5)
	}
	for round := range rounds {
		addr, kill := startProcess(t, dir)
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
		url := func(w, k int) string { return fmt.Sprintf("http://%s/v1/kv/%d/%d", addr, w, k) }
		for w := range writers {
			for k := range keys {
				got, _, err := readNumber(client, url(w, k), w)
				require.NoError(t, err)
				require.GreaterOrEqual(t, got, acked[w][k], "round %d: an acknowledged write is lost", round)
				require.LessOrEqual(t, got, tried[w][k], "round %d: nobody wrote that", round)
			}
		}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for n := round*1e6 + 1; ; n++ {
					k := n % keys
					tried[w][k] = n
					if writeNumber(client, url(w, k), n) != nil {
						return
					}
					acked[w][k] = n
				}
			})
		}
		time.Sleep(time.Duration(rng.IntN(int(80 * time.Millisecond))))
		kill()
		wg.Wait()
		for w := range writers {
			for k := range keys {
				if acked[w][k] > round*1e6 {
					writes += (acked[w][k]-round*1e6)/keys + 1
				}
			}
		}
		client.CloseIdleConnections()
	}
	assert.Greater(t, writes, rounds)
	t.Logf("%d kills, some %d acknowledged writes", rounds, writes)
}

// writeNumber replaces what was there, some hundred bytes. Every write is another
// client's, or it would be told to wait.
func writeNumber(client *http.Client, url string, n int) error {
	_, seen, err := readNumber(client, url, n)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPut, url, strings.NewReader(fmt.Sprintf("%d%s", n, strings.Repeat(" ", 300))))
	if err != nil {
		return err
	}
	req.Header.Set(headerContext, seen)
	req.Header.Set(HeaderClient, strconv.Itoa(n))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if _, err := ReadBody(resp); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		return errors.New(resp.Status)
	}
	return nil
}

// readNumber returns 0 for a key that is absent.
func readNumber(client *http.Client, url string, as int) (n int, seen string, err error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set(HeaderClient, strconv.Itoa(as))
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	body, err := ReadBody(resp)
	if err != nil || resp.StatusCode == http.StatusNotFound {
		return 0, resp.Header.Get(headerContext), err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, "", fmt.Errorf("%s: %s", resp.Status, body)
	}
	n, err = strconv.Atoi(strings.TrimSpace(string(body)))
	return n, resp.Header.Get(headerContext), err
}
