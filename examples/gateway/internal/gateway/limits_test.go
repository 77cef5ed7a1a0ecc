package gateway

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// limited is a gateway without backends: what the rules let pass gets 503.
func limited(t *testing.T, rules string) (*gateway, *notes) {
	t.Helper()
	said := &notes{}
	o := options{backends: []string{"http://a"}, balance: "roundrobin", threshold: 1, trust: []string{"10.0.0.0/8"}, poll: time.Second}
	g, err := o.gateway(Local, log.New(said, "", 0), roundTrip(status(200)), []byte(rules))
	require.NoError(t, err)
	return g, said
}

// ask sends a request and returns the code and the limits that were told.
func ask(h http.Handler, r *http.Request) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	limits := strings.Join(w.Header().Values("RateLimit"), " ")
	return strings.TrimSpace(fmt.Sprint(w.Code, " ", strings.ReplaceAll(limits, `"`, "")))
}

func TestRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := limited(t, `[
			{"name": "address", "pattern": "POST /login", "per": "ip", "limit": "4/h"},
			{"name": "account", "pattern": "POST /login", "per": "form:user", "limit": "2/h"},
			{"name": "api", "pattern": "/api/", "per": "header:X-Key", "limit": "3/h, 10/day", "mode": "soft", "extra": "1/h"},
			{"name": "slow", "pattern": "/slow", "per": "all", "limit": "1/s", "mode": "delay", "delay": "1500ms"},
			{"name": "look", "pattern": "/look", "per": "ip+cookie:session", "limit": "1/h", "mode": "shadow"},
			{"name": "rest", "pattern": "/rest/", "per": "ip", "limit": "1/h"}
		]`)
		login := func(client, user string) *http.Request {
			r := httptest.NewRequest("POST", "/login", strings.NewReader("user="+user+"&password=x"))
			r.RemoteAddr = client + ":1"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			return r
		}
		assert.Equal(t, "200 address;r=3;t=900 account;r=1;t=1800", ask(g.limits, login("192.0.2.1", "ann")))
		assert.Equal(t, "200 address;r=3;t=900 account;r=0;t=1800", ask(g.limits, login("192.0.2.2", "+Ann")))
		assert.Equal(t, "429 address;r=3;t=900 account;r=0;t=1800", ask(g.limits, login("192.0.2.3", "ANN")), "the account, from wherever")
		assert.Equal(t, "200 address;r=2;t=900 account;r=1;t=1800", ask(g.limits, login("192.0.2.1", "bob")))
		for i := range 2 {
			ask(g.limits, login("192.0.2.1", fmt.Sprint("name", i)))
		}
		assert.Equal(t, "429 address;r=0;t=900", ask(g.limits, login("192.0.2.1", "eve")), "the address, whatever account")

		get := func(path string, headers ...string) string {
			r := httptest.NewRequest("GET", path, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Add(headers[i], headers[i+1])
			}
			return ask(g.limits, r)
		}
		assert.Equal(t, "200 api;r=2;t=1200", get("/api/x", "X-Key", "k"))
		get("/api/y", "X-Key", "k")
		get("/api/y", "X-Key", "k")
		assert.Equal(t, "200 api;r=0;t=1200", get("/api/y", "X-Key", "k"), "soft: marked")
		assert.Equal(t, "429 api;r=0;t=1200", get("/api/y", "X-Key", "k"))
		assert.Equal(t, "400", get("/api/y"), "who has no key")
		start := time.Now()
		get("/slow")
		assert.Equal(t, "200 slow;r=0;t=1", get("/slow"))
		assert.Equal(t, time.Second, time.Since(start))
		for range 3 {
			assert.Regexp(t, "^200 look;r=0", get("/look", "Cookie", "session=1"))
		}
		assert.Regexp(t, "^200", get("/rest/"))
		assert.Equal(t, "429 rest;r=0;t=3600", get("/rest/of/it"))
		assert.Equal(t, "200", get("/login"), "no rule is for GET")
	})
}

func TestAtOnce(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	f := newFront(t, options{}, `[{"name": "export", "pattern": "/export", "per": "ip", "limit": "100/s", "at_once": 1}]`, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-finish
	})
	done := make(chan int)
	go func() {
		answer, _ := f.do("GET", "/export", "")
		done <- answer.StatusCode
	}()
	<-arrived
	answer, _ := f.do("GET", "/export", "")
	assert.Equal(t, 503, answer.StatusCode)
	assert.Equal(t, "1", answer.Header.Get("Retry-After"))
	close(finish)
	assert.Equal(t, 200, <-done)
}

// Limits count clients, not what they say about themselves.
func TestSpoofedAddresses(t *testing.T) {
	g, _ := limited(t, `[{"name": "client", "pattern": "/", "per": "ip", "limit": "2/h"}]`)
	code := func(remote string, forwarded ...string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		r.Header["X-Forwarded-For"] = forwarded
		return ask(g.limits, r)[:3]
	}
	for i, want := range []string{"200", "200", "429"} {
		assert.Equal(t, want, code("192.0.2.1:1", fmt.Sprint("203.0.113.", i)), "it is no proxy")
	}
	for i, want := range []string{"200", "200", "429"} {
		assert.Equal(t, want, code("10.0.0.1:1", fmt.Sprintf("198.51.100.%d, 203.0.113.77", i)), "what a client sends stands left of it")
	}
	for i, want := range []string{"200", "200", "429"} {
		assert.Equal(t, want, code(fmt.Sprintf("[2001:db8:0:1::%x]:1", i+1)), "a /64")
	}
	assert.Equal(t, "200", code("[2001:db8:0:2::1]:1"))
}

func TestKeysOfBodies(t *testing.T) {
	for _, c := range []struct{ per, mediaType, body, want string }{
		{"form:user", "application/x-www-form-urlencoded", "user=Ann+", "ann"},
		{"form:user", "application/x-www-form-urlencoded", "user=a&user=b", "field user has 2 values, want 1"},
		{"form:user", "application/x-www-form-urlencoded", "name=a", "field user has 0 values, want 1"},
		{"form:user", "application/x-www-form-urlencoded", "user=%20", "field user is missing"},
		{"form:user", "application/x-www-form-urlencoded", "user=%", "body is no form"},
		{"form:user", "multipart/form-data", "user=a", `content type is "multipart/form-data", want application/x-www-form-urlencoded`},
		{"form:user", "application/x-www-form-urlencoded", "user=a" + strings.Repeat(" ", maxForm), "body is more than 65536 bytes"},
		{"json:user", "application/json; charset=utf-8", `{"x": [{"user": "eve"}], "user": "Ann"}`, "ann"},
		{"json:user", "application/json", `{"user": "a", "User": "b"}`, "field user has 2 values, want 1"},
		{"json:user", "application/json", `{"user": 7}`, "field user is missing"},
		{"json:user", "application/json", `["user"]`, "body is no JSON object"},
		{"json:user", "application/json", `{"user"`, "body is no JSON object"},
		{"json:user", "application/json", `{"user": "a", 7`, "body is no JSON object"},
		{"ip+form:user", "application/x-www-form-urlencoded", "user=a", "9:192.0.2.11:a"},
	} {
		key, err := keyFunc(c.per, nil)
		require.NoError(t, err)
		r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.mediaType)
		got, err := key(r)
		if err != nil {
			got = err.Error()
		} else {
			var body bytes.Buffer
			_, err := body.ReadFrom(r.Body)
			require.NoError(t, err)
			assert.Equal(t, c.body, body.String(), "it is still there")
		}
		assert.Equal(t, c.want, got, c.body)
	}
}

func TestBadRules(t *testing.T) {
	g, _ := limited(t, noRules)
	for text, want := range map[string]string{
		"{":                  "want a JSON array of rules: unexpected EOF",
		"[] []":              "want a JSON array of rules, and nothing after it",
		`[{"x": 1}]`:         `want a JSON array of rules: json: unknown field "x"`,
		`[{"pattern": "/"}]`: `rule 0, of "/", has no name`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/s"}, {"name": "a", "pattern": "/b", "per": "ip", "limit": "1/s"}]`: `rule 1: name "a" is there twice`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/x"}]`:                                                              `rule "a": ratelimit: invalid limit: "1/x": want a positive period, as in 100/s or 1000/h;burst=50`,
		`[{"name": "a", "pattern": "/", "per": "ip:x", "limit": "1/s"}]`:                                                            `rule "a": per is "ip:x", want ip, header:NAME, cookie:NAME, form:FIELD, json:FIELD or all, or several by +`,
		`[{"name": "a", "pattern": "/", "per": "ip+", "limit": "1/s"}]`:                                                             `rule "a": per is "ip+", want ip, header:NAME, cookie:NAME, form:FIELD, json:FIELD or all, or several by +`,
		`[{"name": "a", "pattern": "/", "per": "body:x", "limit": "1/s"}]`:                                                          `rule "a": per is "body:x", want ip, header:NAME, cookie:NAME, form:FIELD, json:FIELD or all, or several by +`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/s", "mode": "firm"}]`:                                              `rule "a": mode is "firm", want hard, soft, shadow or delay`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/s", "mode": "soft"}]`:                                              `rule "a": extra: ratelimit: invalid limit: "": want events, a slash and a period, as in 100/s or 1000/h;burst=50`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/s", "mode": "delay", "delay": "long"}]`:                            `rule "a": delay is "long", want a duration as in 2s`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/s", "extra": "1/s"}]`:                                              `rule "a": extra is for mode soft`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/s", "delay": "1s"}]`:                                               `rule "a": delay is for mode delay`,
		`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/s", "at_once": -1}]`:                                               `rule "a": httplimit: concurrency is -1, want at least 1`,
		`[{"name": "a", "pattern": "login", "per": "ip", "limit": "1/s"}]`:                                                          `parsing "login": at offset 0: host/path missing /`,
		`[{"name": "\n", "pattern": "/", "per": "ip", "limit": "1/s"}]`:                                                             `rule "\n": httplimit: name of policy 0 is "\n", want printable ASCII`,
	} {
		assert.EqualError(t, g.limits.load([]byte(text)), want, text)
	}
}

// What a rule has counted lives on as far as the rule does.
func TestReload(t *testing.T) {
	rules := func(limit, per, extra string) []byte {
		return fmt.Appendf(nil, `[{"name": "a", "pattern": "/a", "per": "ip", "limit": "1/h"},
			{"name": "b", "pattern": "/b", "per": %q, "limit": %q},
			{"name": "c", "pattern": "/c", "per": "ip", "limit": "1/h", "mode": "soft", "extra": %q}]`, per, limit, extra)
	}
	g, _ := limited(t, string(rules("3/h", "ip", "1/h")))
	code := func(path string) string { return ask(g.limits, httptest.NewRequest("GET", path, nil))[:3] }
	load := func(text []byte) { t.Helper(); require.NoError(t, g.limits.load(text)) }
	assert.Equal(t, "200 200 200 200 429", strings.Join([]string{code("/a"), code("/b"), code("/c"), code("/c"), code("/c")}, " "))

	load(rules("2/h", "ip", "1/h")) // b had 2 left, and keeps them
	assert.Equal(t, "429", code("/a"))
	assert.Equal(t, "429", code("/c"), "its second bucket too")
	assert.Equal(t, "200 200 429", strings.Join([]string{code("/b"), code("/b"), code("/b")}, " "))
	load(rules("2/h, 10/day", "ip", "2/h")) // several limits are counted anew, as is what is beyond one
	assert.Equal(t, "200 200 429", strings.Join([]string{code("/b"), code("/b"), code("/b")}, " "))
	assert.Equal(t, "200 200 429", strings.Join([]string{code("/c"), code("/c"), code("/c")}, " "))
	load(rules("2/h, 10/day", "all", "2/h")) // other keys
	assert.Equal(t, "200 200 429", strings.Join([]string{code("/b"), code("/b"), code("/b")}, " "))
	assert.Equal(t, "429", code("/a"))
	load([]byte(noRules))
	assert.Equal(t, "200", code("/a"))
}

// The file is read again when it changes; a bad one is said, once, and changes nothing.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, said := limited(t, noRules)
		g.text, g.rules = []byte(noRules), filepath.Join(t.TempDir(), "rules.json")
		write := func(text string) { require.NoError(t, os.WriteFile(g.rules, []byte(text), 0o600)) }
		write(noRules)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go g.watch(ctx)
		says := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			assert.Equal(t, want, said.take())
		}
		says(3500*time.Millisecond, "")
		write(`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1/h"}]`)
		says(time.Second, "rules: read again, 1 in force\n")
		write(`[{"name": "a", "pattern": "/", "per": "ip", "limit": "1"}]`)
		says(3*time.Second, `rules: rule "a": ratelimit: invalid limit: "1": want events, a slash and a period, as in 100/s or 1000/h;burst=50; the old rules stay`+"\n")
		assert.Equal(t, 1, g.limits.count())
		require.NoError(t, os.Remove(g.rules))
		says(3*time.Second, fmt.Sprintf("rules: open %s: no such file or directory; the old rules stay\n", g.rules))
		write(noRules)
		says(time.Second, "rules: read again, 0 in force\n")
	})
}
