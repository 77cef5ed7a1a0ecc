package httplimit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRules(t *testing.T) {
	login := keyed(t, ratelimit.PerHour(1))
	api := keyed(t, ratelimit.PerHour(100), ratelimit.PerDay(200))
	m, err := httplimit.NewRules(
		httplimit.Rule{Pattern: "POST /login", Name: "login", Limiter: login},
		httplimit.Rule{
			Pattern: "/api/", Name: "api", Limiter: api, Key: httplimit.KeyByHeader("Key"),
			Cost: func(*http.Request) int64 { return 10 }, Options: []httplimit.Option{httplimit.WithLegacyHeaders()},
		},
	)
	require.NoError(t, err)
	s := &served{}
	h := m.Handler(s)
	do := func(method, path, key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Key", key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	assert.Equal(t, `"login";r=0;t=3600`, do("POST", "/login", "a").Header().Get("RateLimit"))
	assert.Equal(t, 429, do("POST", "/login", "b").Code, "by address, not by key")
	assert.Equal(t, 429, do("POST", "//login", "b").Code, "a path that is not clean is no way around")
	assert.Equal(t, 429, do("POST", "/x/../login", "b").Code)
	w := do("GET", "/login", "a")
	assert.Equal(t, 200, w.Code)
	assert.Empty(t, w.Header().Get("RateLimit"), "no rule, no limit")
	w = do("GET", "/api/things", "a")
	assert.Equal(t, `"api";q=100;w=3600,"api-2";q=200;w=86400`, w.Header().Get("RateLimit-Policy"))
	assert.Equal(t, "90", w.Header().Get("X-RateLimit-Remaining"))
	assert.Equal(t, 200, do("GET", "/elsewhere", "a").Code)
	assert.Equal(t, "90", do("GET", "/api/", "b").Header().Get("X-RateLimit-Remaining"))
}

func TestBadRules(t *testing.T) {
	k := keyed(t, ratelimit.PerHour(1))
	for want, rules := range map[string][]httplimit.Rule{
		`httplimit: rule 0, pattern "":`:          {{Pattern: "", Limiter: k}},
		`httplimit: rule 0, pattern "/{":`:        {{Pattern: "/{", Limiter: k}},
		`httplimit: rule 1, pattern "/a":`:        {{Pattern: "/a", Limiter: k}, {Pattern: "/a", Limiter: k}},
		`httplimit: rule 0, pattern "/": limiter`: {{Pattern: "/"}},
		`httplimit: rule 0, pattern "/": name of`: {{Pattern: "/", Limiter: k, Name: "ü"}},
	} {
		_, err := httplimit.NewRules(rules...)
		assert.ErrorContains(t, err, want)
	}
	none, err := httplimit.NewRules()
	require.NoError(t, err)
	assert.Equal(t, 200, get(none.Handler(&served{}), "/").Code)
}
