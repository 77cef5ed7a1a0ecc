package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/distkit/distkit/examples/gateway/internal/gateway"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const rules = `[
	{"name": "client", "pattern": "/", "per": "ip", "limit": "20/h, 100/day"},
	{"name": "open", "pattern": "/open", "per": "ip", "limit": "20/h", "open": true}
]`

// start runs a gateway until the test ends, and returns its URL.
func start(t *testing.T, args ...string) string {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(backend.Close)
	file := filepath.Join(t.TempDir(), "rules.json")
	require.NoError(t, os.WriteFile(file, []byte(rules), 0o600))
	args = append([]string{"-backend", backend.URL, "-listen", "127.0.0.1:0", "-rules", file}, args...)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- gateway.Program{Redis: connect}.Run(ctx, args, w) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
		_ = w.Close()
	})
	lines := bufio.NewReader(r)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	url, _, _ := strings.Cut(strings.TrimPrefix(line, "gateway: at "), ",")
	return url
}

func get(t *testing.T, url string) int {
	t.Helper()
	answer, err := http.Get(url)
	if !assert.NoError(t, err) {
		return 0
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		assert.True(t, json.NewDecoder(answer.Body).Decode(&struct{}{}) == nil)
	}
	return answer.StatusCode
}

// Four gateways hold a client to one limit, together.
func TestFourGateways(t *testing.T) {
	store := miniredis.RunT(t)
	var passed, refused atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		url := start(t, "-redis", store.Addr())
		for range 2 {
			group.Go(func() {
				for range 15 {
					switch get(t, url) {
					case 200:
						passed.Add(1)
					case 429:
						refused.Add(1)
					}
				}
			})
		}
	}
	group.Wait()
	assert.Equal(t, int64(20), passed.Load())
	assert.Equal(t, int64(100), refused.Load())
	assert.Equal(t, []string{"gateway:client:127.0.0.1"}, store.Keys())
}

// Without Redis a client gets 503, or its share of the limit; or passes if a rule
// says so.
func TestRedisIsDown(t *testing.T) {
	store := miniredis.RunT(t)
	url, shared := start(t, "-redis", "redis://"+store.Addr()+"/0"), start(t, "-redis", store.Addr(), "-fallback", "0.25")
	assert.Equal(t, 200, get(t, url))
	store.Close()
	assert.Equal(t, 503, get(t, url))
	assert.Equal(t, 200, get(t, url+"/open"))
	var codes strings.Builder
	for range 7 {
		codes.WriteString(fmt.Sprint(get(t, shared), " "))
	}
	assert.Equal(t, "200 200 200 200 200 429 429 ", codes.String(), "a quarter of 20")
}

func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-redis redis://a:b:c -backend http://a":                      `-redis: parse "redis://a:b:c": invalid port ":c" after host`,
		"-redis localhost:1 -backend http://a -listen nowhere:at:all": "listen tcp: address nowhere:at:all: too many colons in address",
	} {
		assert.EqualError(t, run(strings.Fields(args), nil, &strings.Builder{}), want)
	}
}
