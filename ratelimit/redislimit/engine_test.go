package redislimit

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/distkit/distkit/ratelimit"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parrot answers every script with what it was taught.
type parrot struct {
	redis.Scripter
	reply any
	err   error
}

func (p parrot) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return redis.NewCmdResult(p.reply, p.err)
}

// A store that answers nonsense, be it a proxy or another script, is one that does
// not answer.
func TestRepliesOfStrangers(t *testing.T) {
	one, two := []ratelimit.Limit{ratelimit.PerHour(7)}, []ratelimit.Limit{ratelimit.PerHour(7), ratelimit.PerDay(50)}
	for _, test := range []struct {
		limits []ratelimit.Limit
		reply  any
		err    error
		want   string
	}{
		{one, "OK", nil, "reply to the script is OK, want two numbers for each of 1 limits"},
		{one, nil, nil, "want two numbers for each of 1 limits"},
		{two, int64(5), nil, "reply to the script is 5, want two numbers for each of 2 limits"},
		{two, []any{int64(1), int64(2)}, nil, "want two numbers for each of 2 limits"},
		{one, []any{"1", int64(2)}, nil, "want integers"},
		{one, []any{int64(1), 2.5}, nil, "want integers"},
		{one, []any{int64(-1), int64(0)}, nil, "want debts"},
		{one, []any{int64(0), int64(-1)}, nil, "want debts"},
		{one, []any{int64(0), int64(7)}, nil, "want debts"},
		{[]ratelimit.Limit{ratelimit.PerHour(6)}, int64(maxSpan) + grace + 1, nil, "want debts"},
		{one, nil, errors.New("refused"), "refused"},
	} {
		l, err := NewMulti(parrot{reply: test.reply, err: test.err}, test.limits)
		require.NoError(t, err)
		r, err := l.Decide(ctx, "alice", 1)
		assert.ErrorIs(t, err, ErrUnavailable)
		assert.ErrorContains(t, err, test.want)
		assert.False(t, r.Allowed)
	}
}

// The script calls what Redis 5 and Valkey have.
func TestCommandsOfTheScript(t *testing.T) {
	script, err := os.ReadFile("script.lua")
	require.NoError(t, err)
	allowed := map[string]bool{"TIME": true, "GET": true, "SET": true}
	calls := regexp.MustCompile(`\bcall\('(\w+)'`).FindAllStringSubmatch(string(script), -1)
	assert.Len(t, calls, 4)
	for _, call := range calls {
		assert.True(t, allowed[call[1]], "%s", call[1])
	}
	assert.Equal(t, 1, strings.Count(string(script), "redis."), "local call = redis.call")
	assert.NotContains(t, string(script), "PXAT")
	assert.NotContains(t, string(script), "#!")
}
