package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The page is small and asks nobody but the program for anything.
func TestPageIsSmallAndAsksNobodyElse(t *testing.T) {
	total := 0
	foreign := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]`)
	require.NoError(t, fs.WalkDir(webFiles, "web", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(webFiles, path)
		total += len(data)
		text := strings.ReplaceAll(string(data), "http://www.w3.org/2000/svg", "") // a name, which nobody fetches
		assert.Empty(t, foreign.FindAllString(text, -1), path)
		assert.NotContains(t, text, "innerHTML", path)
		return err
	}))
	assert.Less(t, total, 40_000)
}

// browser drives a real Chromium by the WebDriver protocol.
type browser struct {
	t       *testing.T
	session string
}

// openBrowser starts chromedriver. Where that is not installed the test is
// skipped, unless DYNAMO_BROWSER is "required", as it is where all must run.
func openBrowser(t *testing.T) *browser {
	driver, err := exec.LookPath("chromedriver")
	if err != nil {
		if os.Getenv("DYNAMO_BROWSER") == "required" {
			t.Fatal("chromedriver is not installed")
		}
		t.Skip("chromedriver is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	cmd := exec.Command(driver, fmt.Sprintf("--port=%d", port))
	require.NoError(t, cmd.Start())
	b := &browser{t: t, session: fmt.Sprintf("http://127.0.0.1:%d/session", port)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // its end is not what is tested
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		resp, err := http.Get(strings.TrimSuffix(b.session, "session") + "status")
		if err != nil {
			return false
		}
		_, err = node.ReadBody(resp)
		return err == nil && resp.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
	var opened struct {
		SessionID string `json:"sessionId"`
	}
	b.call("POST", "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"goog:loggingPrefs": map[string]string{"browser": "ALL"},
		"goog:chromeOptions": map[string]any{"args": []string{
			"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-quic",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(),
		}},
	}}}, &opened)
	b.session += "/" + opened.SessionID
	t.Cleanup(func() { b.call("DELETE", "", nil, nil) })
	return b
}

func (b *browser) call(method, path string, body, answer any) {
	b.t.Helper()
	var data []byte
	if body != nil {
		var err error
		data, err = json.Marshal(body)
		require.NoError(b.t, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, b.session+path, bytes.NewReader(data))
	require.NoError(b.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	var got struct{ Value json.RawMessage }
	require.NoError(b.t, json.NewDecoder(resp.Body).Decode(&got))
	require.Equal(b.t, http.StatusOK, resp.StatusCode, "%s", got.Value)
	if answer != nil {
		require.NoError(b.t, json.Unmarshal(got.Value, answer))
	}
}

// eval returns what a script in the page returns.
func (b *browser) eval(script string) (value string) {
	b.t.Helper()
	b.call("POST", "/execute/sync", map[string]any{"script": "return String(" + script + ")", "args": []any{}}, &value)
	return value
}

func (b *browser) await(script string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.eval(script) == "true" }, 20*time.Second, 50*time.Millisecond, script)
}

func (b *browser) click(selector string) {
	b.t.Helper()
	var element map[string]string
	b.call("POST", "/element", map[string]string{"using": "css selector", "value": selector}, &element)
	for _, id := range element {
		b.call("POST", "/element/"+id+"/click", map[string]any{}, nil)
	}
}

// shoot takes a screenshot of a window that large, into DYNAMO_SCREENSHOTS if that
// is set.
func (b *browser) shoot(name string, width, height int) {
	b.t.Helper()
	b.call("POST", "/goog/cdp/execute", map[string]any{"cmd": "Emulation.setDeviceMetricsOverride", "params": map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
	}}, nil)
	time.Sleep(2 * eventInterval) // of the page's own time
	assert.Equal(b.t, "true", b.eval("document.documentElement.scrollWidth <= innerWidth"), "%s: the page is wider than the window", name)
	var image string
	b.call("GET", "/screenshot", nil, &image)
	data, err := base64.StdEncoding.DecodeString(image)
	require.NoError(b.t, err)
	require.NotEmpty(b.t, data)
	if dir := os.Getenv("DYNAMO_SCREENSHOTS"); dir != "" {
		require.NoError(b.t, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o600))
	}
}

// The page in a real browser: it shows the cluster, a click kills a node and
// another one revives it, the network is cut and healed, a key is inspected,
// levels are explained and used, and nothing complains.
func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	c, client := testCluster(t, usual)
	work, err := openWorkload("-", strings.NewReader(strings.Repeat("to be or not to be that is the question\n", 30)))
	require.NoError(t, err)
	d := &driver{client: client, clients: 4, seed: 1, work: work, history: newHistory(), exact: newExactUsage(), usual: [2]int{2, 2}}
	page, err := servePage("127.0.0.1:0", c, d)
	require.NoError(t, err)
	defer func() { assert.NoError(t, page.Close()) }()
	page.Notice("a test")
	ctx, cancel := context.WithCancel(t.Context())
	traffic, stop := d.openTraffic()
	defer stop()
	done := make(chan Tally)
	go func() { done <- d.serve(ctx, traffic, time.Minute) }()
	defer func() { cancel(); <-done }()

	b.call("POST", "/url", map[string]string{"url": page.URL()}, nil)
	b.await(`document.querySelectorAll("#nodes article").length === 5`)
	b.await(`document.querySelectorAll("#arcs path").length === 640`)
	b.await(`document.querySelectorAll("#strip rect").length === 64`)
	b.await(`document.querySelectorAll("#hot li").length > 2 && document.querySelectorAll("#dots circle").length > 0`)
	assert.Equal(t, "a test", b.eval(`document.getElementById("caption").textContent`))
	b.await(`Number(document.getElementById("ops").textContent.replace(",", "")) > 0`)

	b.click(`[aria-label="kill node-3"]`)
	b.await(`document.querySelector("#nodes article:nth-child(3)").classList.contains("isdown")`)
	b.await(`document.querySelectorAll("#dead path").length === 64`)
	assert.False(t, c.running("node-3"))
	b.shoot("desktop", 1280, 800)
	b.shoot("phone", 390, 844)
	b.call("POST", "/goog/cdp/execute", map[string]any{"cmd": "Emulation.setEmulatedMedia", "params": map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}},
	}}, nil)
	b.shoot("dark", 1280, 1400)
	b.click(`[aria-label="revive node-3"]`)
	b.await(`!document.querySelector("#nodes article:nth-child(3)").classList.contains("isdown")`)

	b.click(`[aria-label="cut off node-5"]`)
	b.await(`document.querySelector("#nodes article:nth-child(5) .cutoff") !== null`)
	b.click("#heal")
	b.await(`document.querySelector("#nodes .cutoff") === null`)

	b.eval(`document.getElementById("key").value = "word/question"`)
	b.click("#ask button")
	b.await(`document.querySelectorAll("#answer tr").length === 6 && document.querySelectorAll("#time circle").length > 0`)
	b.eval(`(document.getElementById("r").value = 1, document.getElementById("w").value = 1, document.getElementById("levels").oninput())`)
	b.await(`document.getElementById("guarantee").textContent.includes("67 %")`)
	b.click("#apply")
	b.await(`document.getElementById("inuse").textContent.includes("R=1 W=1")`)

	var entries []struct{ Level, Message string }
	b.call("POST", "/se/log", map[string]string{"type": "browser"}, &entries)
	for _, e := range entries {
		assert.NotContains(t, []string{"SEVERE", "WARNING"}, e.Level, e.Message)
	}
}
