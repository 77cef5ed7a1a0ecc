package redislimit

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// installed returns the path of redis-server, "" if there is none.
var installed = sync.OnceValue(func() string {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return ""
	}
	return path
})

// address is that of a server of our own, which ends with this process: the shell
// that watches over it reads from a pipe that closes then.
var address = sync.OnceValue(func() string {
	l := check(net.Listen("tcp", "127.0.0.1:0"))
	port := l.Addr().(*net.TCPAddr).Port
	check(0, l.Close())
	script := fmt.Sprintf(`%q --bind 127.0.0.1 --port %d --save "" --appendonly no > /dev/null & read x; kill $!`, installed(), port)
	cmd := exec.Command("sh", "-c", script)
	leash = check(cmd.StdinPipe())
	check(0, cmd.Start())
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			check(0, c.Close())
			return address
		}
		time.Sleep(20 * time.Millisecond)
	}
	panic("redis-server does not answer")
})

// leash is the end of the pipe that the shell listens to.
var leash io.WriteCloser

var client = sync.OnceValue(func() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: address(), PoolSize: 2 * callers, ContextTimeoutEnabled: true})
	check(c.Ping(context.Background()).Result())
	return c
})

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
