package redislimit

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// ask is what a store is asked about one key.
type ask struct {
	key    string  // as in the store
	events []int64 // to charge one after the other, each if it passes; none: only the debts
	must   bool    // if the first of events does not pass, the others are not tried
	forget bool    // the key, and nothing else

	debts []span // the answer: what the key owed before
	err   error
}

// engine is a store that holds the debts of keys. This is the seam for a store, or a
// command of one, that does without the script.
type engine interface {
	// serve answers asks, those for one key in order. It may return later than ctx
	// says, and then charge or not.
	serve(ctx context.Context, asks []ask)
}

//go:embed script.lua
var source string

var (
	charging = redis.NewScript(source)
	// forgetting is a script because a Scripter need not have Del.
	forgetting = redis.NewScript(`return redis.call('DEL', KEYS[1])`)
)

// pipeliner is a Scripter that sends several commands at once, as all of go-redis do.
type pipeliner interface {
	Pipelined(ctx context.Context, fn func(redis.Pipeliner) error) ([]redis.Cmder, error)
}

// keepsDeadlines reports whether the client ends a command when its context says so.
func keepsDeadlines(c redis.Scripter) bool {
	switch c := c.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		return c.Options().ContextTimeoutEnabled
	}
	return false
}

// scripted is the engine of the script.
type scripted struct {
	client redis.Scripter
	rules  *rules
	one    bool  // the form of the script: one limit, whole microseconds
	head   []any // the script's arguments up to the charges
	single []any // and a charge of one event
}

func newScripted(c redis.Scripter, r *rules) *scripted {
	e := &scripted{client: c, rules: r}
	if e.one = len(r.quotas) == 1 && r.quotas[0].unit == 1; e.one {
		e.head = []any{"one", r.quotas[0].fill.whole}
	} else {
		e.head = []any{strconv.Itoa(len(r.quotas))}
		for i := range r.quotas {
			q := &r.quotas[i]
			e.head = append(e.head, q.unit, q.fill.whole, q.fill.part)
		}
	}
	e.head = slices.Clip(e.head)
	e.single = e.charge(e.head, 1)
	return e
}

// charge appends the arguments that charge n events.
func (e *scripted) charge(args []any, n int64) []any {
	for i := range e.rules.quotas {
		cost := e.rules.quotas[i].times(n)
		if args = append(args, cost.whole); !e.one {
			args = append(args, cost.part)
		}
	}
	return args
}

func (e *scripted) args(a *ask) []any {
	switch {
	case len(a.events) == 0:
		return e.head
	case len(a.events) == 1 && a.events[0] == 1:
		return e.single
	}
	args := make([]any, len(e.head), len(e.head)+2*len(e.rules.quotas)*len(a.events))
	copy(args, e.head)
	if a.must {
		args[0] = args[0].(string) + "!"
	}
	for _, n := range a.events {
		args = e.charge(args, n)
	}
	return args
}

func (e *scripted) serve(ctx context.Context, asks []ask) {
	p, ok := e.client.(pipeliner)
	if len(asks) == 1 || !ok {
		for i := range asks {
			e.serveOne(ctx, &asks[i])
		}
		return
	}
	e.pipeline(ctx, p, asks, evalSha)
	// A server that was restarted, or whose scripts were flushed, needs the text.
	var again []ask
	var at []int
	for i := range asks {
		if noScript(asks[i].err) {
			again, at = append(again, asks[i]), append(at, i)
		}
	}
	if len(again) > 0 {
		e.pipeline(ctx, p, again, eval)
		for i, a := range again {
			asks[at[i]] = a
		}
	}
}

// evaluate is how a script is run: by its hash, or by its text.
type evaluate func(c redis.Scripter, ctx context.Context, s *redis.Script, keys []string, args []any) *redis.Cmd

func evalSha(c redis.Scripter, ctx context.Context, s *redis.Script, keys []string, args []any) *redis.Cmd {
	return s.EvalSha(ctx, c, keys, args...)
}

func eval(c redis.Scripter, ctx context.Context, s *redis.Script, keys []string, args []any) *redis.Cmd {
	return s.Eval(ctx, c, keys, args...)
}

func (e *scripted) send(ctx context.Context, c redis.Scripter, a *ask, how evaluate) *redis.Cmd {
	if a.forget {
		return how(c, ctx, forgetting, []string{a.key}, nil)
	}
	return how(c, ctx, charging, []string{a.key}, e.args(a))
}

func (e *scripted) serveOne(ctx context.Context, a *ask) {
	e.receive(a, e.send(ctx, e.client, a, evalSha))
	if noScript(a.err) {
		e.receive(a, e.send(ctx, e.client, a, eval))
	}
}

func (e *scripted) pipeline(ctx context.Context, p pipeliner, asks []ask, how evaluate) {
	cmds := make([]*redis.Cmd, len(asks))
	_, _ = p.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i := range asks {
			cmds[i] = e.send(ctx, pipe, &asks[i], how)
		}
		return nil
	})
	for i := range asks {
		e.receive(&asks[i], cmds[i]) // each has its own error
	}
}

func noScript(err error) bool { return err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") }

// receive reads the script's reply.
func (e *scripted) receive(a *ask, cmd *redis.Cmd) {
	reply, err := cmd.Result()
	a.err = err
	if err != nil || a.forget {
		return
	}
	a.debts = a.debts[:0]
	if whole, ok := reply.(int64); ok && e.one {
		a.debts = append(a.debts, span{whole: whole})
	} else if numbers, ok := reply.([]any); ok && len(numbers) == 2*len(e.rules.quotas) {
		for i := 0; i < len(numbers); i += 2 {
			whole, ok1 := numbers[i].(int64)
			part, ok2 := numbers[i+1].(int64)
			if !ok1 || !ok2 {
				a.err = fmt.Errorf("reply to the script is %.64s, want integers", fmt.Sprint(reply))
				return
			}
			a.debts = append(a.debts, span{whole, part})
		}
	} else {
		a.err = fmt.Errorf("reply to the script is %.64s, want two numbers for each of %d limits", fmt.Sprint(reply), len(e.rules.quotas))
		return
	}
	for i, d := range a.debts {
		if d.whole < 0 || d.whole > maxSpan+grace || d.part < 0 || d.part >= e.rules.quotas[i].unit {
			a.err = fmt.Errorf("reply to the script is %.64s, want debts of %v", fmt.Sprint(reply), e.rules.quotas[i].limit)
			return
		}
	}
}
