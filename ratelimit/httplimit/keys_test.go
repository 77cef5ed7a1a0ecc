package httplimit_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyByIP(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		remote    string
		forwarded []string
		trusted   []netip.Prefix
		want      string // "" is an error
	}{
		{"192.0.2.1:1234", nil, nil, "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:80", nil, nil, "2001:db8:1:2::"},
		{"[2001:db8:1:2:ffff::]:80", nil, nil, "2001:db8:1:2::"},
		{"[::ffff:192.0.2.1]:80", nil, nil, "192.0.2.1"},
		{"[fe80::1%eth0]:80", nil, nil, "fe80::"},
		{"@", nil, nil, ""},
		{"", nil, nil, ""},
		// Whoever is not trusted may write what it likes.
		{"192.0.2.1:1234", []string{"198.51.100.7"}, nil, "192.0.2.1"},
		{"192.0.2.1:1234", []string{"198.51.100.7"}, proxies, "192.0.2.1"},
		{"10.0.0.1:1234", []string{"198.51.100.7"}, proxies, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"6.6.6.6, 198.51.100.7"}, proxies, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"6.6.6.6", "198.51.100.7 , 10.0.0.2"}, proxies, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"garbage, 198.51.100.7"}, proxies, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"198.51.100.7, garbage"}, proxies, ""},
		{"10.0.0.1:1234", []string{"198.51.100.7,"}, proxies, ""},
		{"10.0.0.1:1234", []string{"[2001:db8:1:2::9]:443"}, proxies, "2001:db8:1:2::"},
		{"10.0.0.1:1234", []string{"198.51.100.7:443"}, proxies, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, proxies, "10.0.0.3"},
		{"[::ffff:10.0.0.1]:1", []string{"198.51.100.7"}, proxies, "198.51.100.7"},
		{"[fd00::1]:1", []string{"198.51.100.7"}, proxies, "198.51.100.7"},
		{"10.0.0.1:1234", nil, proxies, "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		got, err := httplimit.KeyByIP(c.trusted...)(r)
		if c.want == "" {
			assert.Error(t, err, c)
		} else {
			require.NoError(t, err, c)
		}
		assert.Equal(t, c.want, got, c)
	}
}

func TestKeyByHeaderAndCookie(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for name, key := range map[string]httplimit.KeyFunc{"header": httplimit.KeyByHeader("x-key"), "cookie": httplimit.KeyByCookie("id")} {
		_, err := key(r)
		assert.ErrorContains(t, err, "has 0 values", name)
	}
	r.Header.Set("X-Key", "k")
	r.AddCookie(&http.Cookie{Name: "id", Value: "c"})
	k, err := httplimit.KeyByHeader("x-key")(r)
	require.NoError(t, err)
	assert.Equal(t, "k", k)
	k, err = httplimit.KeyByCookie("id")(r)
	require.NoError(t, err)
	assert.Equal(t, "c", k)
	r.Header.Add("X-Key", "other")
	r.AddCookie(&http.Cookie{Name: "id", Value: "d"})
	for name, key := range map[string]httplimit.KeyFunc{"header": httplimit.KeyByHeader("x-key"), "cookie": httplimit.KeyByCookie("id")} {
		_, err := key(r)
		assert.ErrorContains(t, err, "has 2 values", name)
	}
}

// Different lists of keys never make the same joined key.
func TestJoinIsUnambiguous(t *testing.T) {
	key := httplimit.Join(httplimit.KeyByHeader("A"), httplimit.KeyByHeader("B"))
	seen := map[string][2]string{}
	for _, a := range []string{"1", "12", "1:", ":", "2:1", "1:1"} {
		for _, b := range []string{"1", "12", "1:", ":", "2:1", "1:1"} {
			r := &http.Request{Header: http.Header{"A": {a}, "B": {b}}}
			k, err := key(r)
			require.NoError(t, err)
			_, twice := seen[k]
			assert.False(t, twice, "%q %q %v", a, b, seen[k])
			seen[k] = [2]string{a, b}
		}
	}
	_, err := key(&http.Request{Header: http.Header{"A": {"1"}}})
	assert.Error(t, err)
}

// No request makes a key function panic, and none takes much of a header that
// only proxies should write.
func FuzzKeyByIP(f *testing.F) {
	f.Add("10.0.0.1:1", "1.2.3.4, 10.0.0.2")
	f.Add("[::1%x]:1", "[fe80::%1]:2,")
	f.Add("10.0.0.1:1", strings.Repeat(",", 100))
	key := httplimit.KeyByIP(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		k, err := key(&http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}})
		if err == nil {
			_, err = netip.ParseAddr(k)
			require.NoError(t, err)
		}
	})
}
