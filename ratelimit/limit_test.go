package ratelimit_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseLimit(t *testing.T) {
	day := 24 * time.Hour
	for s, want := range map[string]ratelimit.Limit{
		"100/s":                       {Events: 100, Period: time.Second, Burst: 100},
		"5/10s":                       {Events: 5, Period: 10 * time.Second, Burst: 5},
		"1000/h;burst=50":             {Events: 1000, Period: time.Hour, Burst: 50},
		"7/day":                       {Events: 7, Period: day, Burst: 7},
		"20/7d":                       {Events: 20, Period: 7 * day, Burst: 20},
		"3/1m30s":                     {Events: 3, Period: 90 * time.Second, Burst: 3},
		"2/m":                         {Events: 2, Period: time.Minute, Burst: 2},
		"1/1.5h":                      {Events: 1, Period: 90 * time.Minute, Burst: 1},
		"1/ms":                        {Events: 1, Period: time.Millisecond, Burst: 1},
		"9/µs":                        {Events: 9, Period: time.Microsecond, Burst: 9},
		"1/ns":                        {Events: 1, Period: 1, Burst: 1},
		"1/1h2m3s":                    {Events: 1, Period: time.Hour + 2*time.Minute + 3*time.Second, Burst: 1},
		"unlimited":                   ratelimit.Unlimited,
		"1152921504606846975/106751d": {Events: 1<<60 - 1, Period: 106751 * day, Burst: 1<<60 - 1},
	} {
		got, err := ratelimit.ParseLimit(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
		back, err := ratelimit.ParseLimit(got.String())
		require.NoError(t, err, "%s was written as %s", s, got)
		assert.Equal(t, got, back)
	}
	for s, want := range map[string]string{
		"100/1s": "100/s", "5/60s": "5/m", "5/24h": "5/day", "5/168h": "5/7d", "1/sec": "1/s", "4/7200s": "4/2h", "4/5400s": "4/1h30m",
		"4/61s": "4/1m1s", "4/d;burst=4": "4/day", "4/hour;burst=5": "4/h;burst=5", "6/60m": "6/h", "1/second": "1/s", "1/minute": "1/m", "1/min": "1/m",
	} {
		got, err := ratelimit.ParseLimit(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got.String())
	}
	for _, s := range []string{
		"", "100", "/s", "100/", "0/s", "-1/s", "+1/s", " 1/s", "1/s ", "1.5/s", "1e3/s", "9223372036854775808/s", "1/0s", "1/-1s", "1/0d", "1/d1",
		"1/99999999999d", "1/9223372036854775808ns", "1/s;", "1/s;burst=", "1/s;burst=0", "1/s;burst=-1", "1/s;burst=x", "1/s;5", "1/s;burst=5;burst=6",
		"1/s;burst=9223372036854775807", "1/fortnight", "Unlimited", "unlimited;burst=5", "0x10/s", "1_000/s", "9223372036854775807/106751d",
	} {
		_, err := ratelimit.ParseLimit(s)
		require.ErrorIs(t, err, ratelimit.ErrInvalidLimit, s)
		assert.Contains(t, err.Error(), s)
	}
	_, err := ratelimit.ParseLimit("12/x")
	assert.EqualError(t, err, `ratelimit: invalid limit: "12/x": want a positive period, as in 100/s or 1000/h;burst=50`)
}

func TestLimitMakers(t *testing.T) {
	assert.Equal(t, ratelimit.Limit{Events: 3, Period: time.Second, Burst: 3}, ratelimit.PerSecond(3))
	assert.Equal(t, ratelimit.Limit{Events: 3, Period: time.Minute, Burst: 3}, ratelimit.PerMinute(3))
	assert.Equal(t, ratelimit.Limit{Events: 3, Period: time.Hour, Burst: 3}, ratelimit.PerHour(3))
	assert.Equal(t, ratelimit.Limit{Events: 3, Period: 24 * time.Hour, Burst: 3}, ratelimit.PerDay(3))
	assert.Equal(t, ratelimit.Limit{Events: 1, Period: 5 * time.Minute, Burst: 1}, ratelimit.Every(5*time.Minute))
	assert.Equal(t, ratelimit.Limit{Events: 3, Period: time.Second, Burst: 9}, ratelimit.PerSecond(3).WithBurst(9))
	assert.Equal(t, ratelimit.Unlimited, ratelimit.Unlimited.WithBurst(5))
	assert.Equal(t, "5/s", ratelimit.Limit{Events: 5, Period: time.Second}.String())
}

func TestLimitAsText(t *testing.T) {
	var config struct{ API, Login ratelimit.Limit }
	require.NoError(t, json.Unmarshal([]byte(`{"API": "100/s;burst=20", "Login": "5/10m"}`), &config))
	assert.Equal(t, ratelimit.PerSecond(100).WithBurst(20), config.API)
	text, err := json.Marshal(config)
	require.NoError(t, err)
	assert.Equal(t, `{"API":"100/s;burst=20","Login":"5/10m"}`, string(text))

	require.ErrorIs(t, json.Unmarshal([]byte(`{"API": "fast"}`), &config), ratelimit.ErrInvalidLimit)
	assert.Equal(t, ratelimit.PerSecond(100).WithBurst(20), config.API, "an error changes nothing")
	_, err = ratelimit.Limit{}.MarshalText()
	assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
}

// What New refuses, with what it says.
func TestInvalidLimits(t *testing.T) {
	second := time.Second
	for _, c := range []struct {
		limit ratelimit.Limit
		says  string
	}{
		{ratelimit.Limit{}, "it is zero, want events and a period"},
		{ratelimit.Limit{Events: -5, Period: second}, "events is -5, want at least 1"},
		{ratelimit.Limit{Events: 5}, "period is 0s, want at least 1ns"},
		{ratelimit.Limit{Events: 5, Period: -second}, "period is -1s, want at least 1ns"},
		{ratelimit.Limit{Events: 5, Period: second, Burst: -1}, "burst is -1, want at least 1, or 0 for as many as events"},
		{ratelimit.Limit{Events: 5, Period: second, Burst: math.MaxInt64}, "burst of 5/s;burst=9223372036854775807 is 9223372036854775807, want at most 1152921504606846975"},
		{ratelimit.Limit{Events: 7, Period: 2, Burst: 5}, "burst of 7/2ns;burst=5 is 5, want a multiple of 2 at such a rate"},
	} {
		_, err := ratelimit.New(c.limit)
		require.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
		assert.EqualError(t, err, "ratelimit: invalid limit: "+c.says)
	}
	for _, c := range []struct {
		limit ratelimit.Limit
		a     ratelimit.Algorithm
		says  string
	}{
		{ratelimit.PerSecond(5).WithBurst(6), ratelimit.FixedWindow, "burst of 5/s;burst=6 is 6, want as many as events, or 0: a fixed window has none"},
		{ratelimit.Limit{Events: 1, Period: math.MaxInt64}, ratelimit.FixedWindow, "period is 2562047h47m16.854775807s, want at most 639480h0m0s in a fixed window"},
		{ratelimit.PerSecond(1 << 40), ratelimit.SlidingWindow, "events of 1099511627776/s is 1099511627776, want at most 1073741823 in a sliding window of that length"},
		{ratelimit.Limit{Events: 1 << 40, Period: time.Second}, ratelimit.FixedWindow, "events of 1099511627776/s is 1099511627776, want at most 1073741823 in a fixed window of that length"},
	} {
		_, err := ratelimit.New(c.limit, ratelimit.WithAlgorithm(c.a))
		require.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
		assert.EqualError(t, err, "ratelimit: invalid limit: "+c.says)
	}
}

func TestOptionErrors(t *testing.T) {
	l := ratelimit.PerSecond(1)
	for says, opts := range map[string][]ratelimit.Option{
		"ratelimit: option 0 of New is nil":                                                   {nil},
		"ratelimit: clock is nil, want a function that returns a reading":                     {ratelimit.WithClock(nil)},
		"ratelimit: algorithm is algorithm 9, want TokenBucket, FixedWindow or SlidingWindow": {ratelimit.WithAlgorithm(9)},
		"ratelimit: WithAlign does not apply to a token bucket, which has no windows":         {ratelimit.WithAlign(time.Unix(0, 0))},
	} {
		_, err := ratelimit.New(l, opts...)
		assert.EqualError(t, err, says)
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"100/s", "5/10s;burst=7", "7/day", "unlimited", "1/1h2m3s", "3/0.1us", "9223372036854775807/ns", "1/s;burst=1152921504606846975"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ratelimit.ParseLimit(s)
		if err != nil {
			require.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
			require.Zero(t, l)
			return
		}
		_, err = ratelimit.New(l)
		require.NoError(t, err, "what is parsed can be used")
		back, err := ratelimit.ParseLimit(l.String())
		require.NoError(t, err)
		require.Equal(t, l, back)
	})
}
