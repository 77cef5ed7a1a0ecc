package redislimit_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// The tests run against a redis-server that they start themselves on a free port of
// this machine; where there is none, against miniredis, an imitation within this
// process. With REDISLIMIT_REDIS=required that is a failure.
var (
	realRedis string // path of redis-server, if there is one
	shared    string // address of the server that most tests share
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// quiet drops what clients log about servers that are down, as they are meant to be.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func run(m *testing.M) int {
	redis.SetLogger(quiet{})
	var err error
	realRedis, err = exec.LookPath("redis-server")
	if err != nil && os.Getenv("REDISLIMIT_REDIS") == "required" {
		fmt.Println("REDISLIMIT_REDIS=required, but", err)
		return 1
	}
	if realRedis == "" {
		mini, err := miniredis.Run()
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer mini.Close()
		fmt.Println("store: miniredis, for redis-server is not installed")
		shared = mini.Addr()
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "redislimit")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	server, err := startRedis(dir)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer server.stop()
	shared = server.addr
	version, _ := exec.Command(realRedis, "--version").Output()
	fmt.Printf("store: %s, %s", realRedis, version)
	return m.Run()
}

// server is a redis-server of our own. It ends with this process, however that ends:
// the shell that watches over it reads from a pipe that closes then.
type server struct {
	addr  string
	cmd   *exec.Cmd
	leash io.Closer
}

func (s *server) stop() {
	_ = s.leash.Close()
	_ = s.cmd.Wait()
}

// startRedis starts a server that keeps nothing, and waits until it answers.
func startRedis(dir string, args ...string) (*server, error) {
	var last error
	for range 5 { // a port that is free now may be taken a moment later
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s := &server{addr: fmt.Sprintf("127.0.0.1:%d", port)}
		s.cmd = exec.Command("sh", append([]string{
			"-c", `"$0" "$@" & read x; kill -9 $!; wait`, realRedis, "--bind", "127.0.0.1", "--port", fmt.Sprint(port), "--save", "", "--appendonly", "no",
			"--dir", dir, "--logfile", filepath.Join(dir, fmt.Sprint("log-", port)),
		}, args...)...)
		if s.leash, err = s.cmd.StdinPipe(); err != nil {
			return nil, err
		}
		if err := s.cmd.Start(); err != nil {
			return nil, err
		}
		if last = s.answers(); last == nil {
			return s, nil
		}
		s.stop()
	}
	return nil, last
}

func (s *server) answers() error {
	c := redis.NewClient(&redis.Options{Addr: s.addr})
	defer c.Close()
	var err error
	for range 200 {
		if err = c.Ping(context.Background()).Err(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("redis-server on %s does not answer: %w", s.addr, err)
}

// freePort returns a port that is free, and below 55536, for a cluster wants the one
// 10,000 above it too.
func freePort() (int, error) {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if port < 55536 {
			return port, nil
		}
	}
}

// connect returns a client of the shared server, and a prefix that is the test's own.
func connect(t testing.TB) (*redis.Client, string) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: shared})
	t.Cleanup(func() { c.Close() })
	return c, t.Name() + ":"
}

// startMini returns a miniredis with a clock of its own, at a whole second.
func startMini(t testing.TB) (*miniredis.Miniredis, *redis.Client, time.Time) {
	t.Helper()
	m := miniredis.RunT(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m.SetTime(now)
	c := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { c.Close() })
	return m, c, now
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}
