package httplimit_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// item is a string of a structured field and its parameters, which are integers here.
type item struct {
	name   string
	params map[string]int64
}

// parseList parses a list of strings with integers for parameters by the algorithms of
// RFC 9651, section 4.2, strictly.
func parseList(s string) ([]item, error) {
	var items []item
	s = strings.Trim(s, " ")
	for s != "" {
		one := item{params: map[string]int64{}}
		var err error
		if one.name, s, err = parseString(s); err != nil {
			return nil, err
		}
		for strings.HasPrefix(s, ";") {
			var key string
			s = strings.TrimLeft(s[1:], " ")
			n := 0
			for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || n > 0 && (s[n] >= '0' && s[n] <= '9' || strings.IndexByte("_-.*", s[n]) >= 0)) {
				n++
			}
			if key, s = s[:n], s[n:]; key == "" || !strings.HasPrefix(s, "=") {
				return nil, fmt.Errorf("parameter %q without an integer before %q", key, s)
			}
			if one.params[key], s, err = parseInteger(s[1:]); err != nil {
				return nil, err
			}
		}
		items = append(items, one)
		if s = strings.TrimLeft(s, " \t"); s == "" {
			break
		}
		if s[0] != ',' {
			return nil, fmt.Errorf("want a comma before %q", s)
		}
		if s = strings.TrimLeft(s[1:], " \t"); s == "" {
			return nil, fmt.Errorf("comma at the end")
		}
	}
	return items, nil
}

// parseString is 4.2.5.
func parseString(s string) (text, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, fmt.Errorf("want a string before %q", s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", s, fmt.Errorf("bad escape in %q", s)
			}
			b.WriteByte(s[i])
		case c == '"':
			return b.String(), s[i+1:], nil
		case c < 0x20 || c > 0x7e:
			return "", s, fmt.Errorf("byte %#x in a string", c)
		default:
			b.WriteByte(c)
		}
	}
	return "", s, fmt.Errorf("string without end: %q", s)
}

// parseInteger is 4.2.4: at most 15 digits.
func parseInteger(s string) (v int64, rest string, err error) {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || n == 0 && s[n] == '-') {
		n++
	}
	if digits := strings.TrimPrefix(s[:n], "-"); digits == "" || len(digits) > 15 {
		return 0, s, fmt.Errorf("integer of %d digits in %q", len(digits), s)
	}
	_, err = fmt.Sscan(s[:n], &v)
	return v, s[n:], err
}

func TestParseList(t *testing.T) {
	got, err := parseList(`"a\"\\ b";q=100;w=60, "c";r=-1`)
	require.NoError(t, err)
	assert.Equal(t, []item{{`a"\ b`, map[string]int64{"q": 100, "w": 60}}, {"c", map[string]int64{"r": -1}}}, got)
	for _, bad := range []string{`a`, `"a`, `"a\x"`, "\"\n\"", `"a";q`, `"a";Q=1`, `"a";q=1.5`, `"a";q=1234567890123456`, `"a" "b"`, `"a",`} {
		_, err := parseList(bad)
		assert.Error(t, err, bad)
	}
}

// told is a Decider that says what the test wants, with Policies.
type told struct {
	result ratelimit.Result
	limits []ratelimit.Limit
}

func (d told) Decide(context.Context, string, int64) (ratelimit.Result, error) { return d.result, nil }
func (d told) Limits() []ratelimit.Limit                                       { return d.limits }

// Whatever a Decider says, the fields can be parsed, name their policies, and hold no
// time that is too early.
func FuzzHeaders(f *testing.F) {
	f.Add(`the "day"`, int64(100), int64(time.Hour), int64(10), 0, int64(7), int64(0), int64(time.Second), true)
	f.Add(`\`, int64(math.MaxInt64), int64(1), int64(math.MaxInt64), 1, int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), false)
	f.Add("é", int64(1), int64(1), int64(1), -1, int64(-5), int64(-1), int64(-1), false)
	f.Fuzz(func(t *testing.T, name string, events, period, burst int64, index int, remaining, retry, reset int64, allowed bool) {
		limit := ratelimit.Limit{Events: max(1, events), Period: time.Duration(max(1, period)), Burst: max(1, burst)}
		d := told{limits: []ratelimit.Limit{limit, ratelimit.PerSecond(5)}, result: ratelimit.Result{
			Allowed: allowed, Index: index, Limit: limit.Burst, Remaining: remaining,
			RetryAfter: time.Duration(retry), ResetAfter: time.Duration(reset),
		}}
		m, err := httplimit.New(d, httplimit.WithPolicy(name, "second"), httplimit.WithLegacyHeaders())
		printable := name != "" && strings.IndexFunc(name, func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0
		if printable != (err == nil) {
			t.Fatalf("name %q: %v", name, err)
		}
		if err != nil {
			return
		}
		w := get(m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), "/")
		policies, err := parseList(w.Header().Get("RateLimit-Policy"))
		require.NoError(t, err)
		require.Len(t, policies, 2)
		assert.Equal(t, name, policies[0].name)
		for _, p := range policies {
			assert.GreaterOrEqual(t, p.params["q"], int64(0))
			assert.Greater(t, p.params["w"], int64(0))
		}
		state, err := parseList(w.Header().Get("RateLimit"))
		require.NoError(t, err)
		require.Len(t, state, 1)
		assert.Contains(t, []string{name, "second"}, state[0].name)
		assert.GreaterOrEqual(t, state[0].params["r"], int64(0))
		assert.GreaterOrEqual(t, state[0].params["t"], int64(0))
		if !allowed {
			assert.Equal(t, http.StatusTooManyRequests, w.Code)
			if after := w.Header().Get("Retry-After"); after != "" {
				seconds, rest, err := parseInteger(after)
				require.NoError(t, err)
				assert.Empty(t, rest)
				assert.GreaterOrEqual(t, seconds, max(1, state[0].params["t"]))
				assert.GreaterOrEqual(t, time.Duration(seconds), time.Duration(retry)/time.Second)
			}
		}
	})
}
