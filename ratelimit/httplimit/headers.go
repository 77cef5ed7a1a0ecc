package httplimit

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// maxField is the largest integer of a structured field (RFC 9651, 3.3.1).
const maxField = 999_999_999_999_999

// policyHeader is RateLimit-Policy as it was less than policyRefresh ago. Limits may
// change while the server runs, but asking for them at every request would cost more
// than the decision.
type policyHeader struct {
	value     string
	intervals []float64 // nanoseconds an event, of each limit
}

const policyRefresh = time.Second

// nameLimits checks the names of the limits, or makes some.
func (p *policy) nameLimits() error {
	count := 1
	if d, ok := p.decider.(ratelimit.Policies); ok {
		count = len(d.Limits())
	}
	if p.names == nil {
		p.names = []string{"default"}
		for i := 2; i <= count; i++ {
			p.names = append(p.names, fmt.Sprintf("default-%d", i))
		}
	}
	if len(p.names) != count {
		return fmt.Errorf("policies are %d names, want %d, one for each limit", len(p.names), count)
	}
	quoted := make([]string, count)
	for i, name := range p.names {
		var ok bool
		if quoted[i], ok = quote(name); !ok {
			return fmt.Errorf("name of policy %d is %q, want printable ASCII", i, name)
		}
	}
	p.answers, p.names = newAnswers(p.names), quoted
	return nil
}

// nameOf returns which of the names is that of the limit that binds.
func (p *policy) nameOf(result ratelimit.Result) int {
	return min(max(result.Index, 0), len(p.names)-1)
}

// quote returns s as a string of a structured field.
func quote(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7e {
			return "", false
		}
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`, true
}

// policies returns the current RateLimit-Policy, nil if the limiter has no
// Policies. A timer forgets it, which spares requests a look at the clock.
func (p *policy) policies() *policyHeader {
	if h := p.header.Load(); h != nil {
		return h
	}
	d, ok := p.decider.(ratelimit.Policies)
	if !ok {
		return nil
	}
	h := &policyHeader{}
	var items []string
	for i, limit := range d.Limits() {
		h.intervals = append(h.intervals, float64(limit.Period)/float64(limit.Events))
		window := math.Ceil(float64(limit.Burst) / float64(limit.Events) * limit.Period.Seconds())
		items = append(items, fmt.Sprintf("%s;q=%d;w=%d", p.names[min(i, len(p.names)-1)],
			min(limit.Burst, maxField), int64(max(1, min(window, maxField)))))
	}
	h.value = strings.Join(items, ",")
	if p.header.CompareAndSwap(nil, h) {
		time.AfterFunc(policyRefresh, func() { p.header.Store(nil) })
	}
	return h
}

// headers tells the client where it stands, in values.
func (p *policy) headers(h http.Header, result ratelimit.Result, values *[2]string) {
	if p.silent {
		return
	}
	alone := len(h) == 0
	more := result.ResetAfter
	if policies := p.policies(); policies != nil {
		values[0] = policies.value
		list(h, "Ratelimit-Policy", values[:1:1], alone)
		if i := p.nameOf(result); i < len(policies.intervals) {
			more = nextToken(policies.intervals[i], result)
		}
	}
	if !result.Allowed {
		more = result.RetryAfter
	}
	var space [64]byte
	b := append(space[:0], p.names[p.nameOf(result)]...)
	b = append(b, ";r="...)
	b = strconv.AppendInt(b, min(max(result.Remaining, 0), maxField), 10)
	b = append(b, ";t="...)
	b = strconv.AppendInt(b, seconds(more), 10)
	values[1] = string(b)
	list(h, "Ratelimit", values[1:2:2], alone)
	if p.legacy {
		h["X-Ratelimit-Limit"] = []string{strconv.FormatInt(result.Limit, 10)}
		h["X-Ratelimit-Remaining"] = []string{strconv.FormatInt(max(result.Remaining, 0), 10)}
		h["X-Ratelimit-Reset"] = []string{strconv.FormatInt(seconds(result.ResetAfter), 10)}
	}
}

// list adds a limit to those that middlewares around this one have set, if there may
// be any: fields that are lists, of which lines of one name are one (RFC 9110, 5.2).
func list(h http.Header, name string, one []string, alone bool) {
	if !alone {
		if others := h[name]; len(others) > 0 {
			one = append(others, one...)
		}
	}
	h[name] = one
}

// nextToken returns when there will be more than now. A bucket gets its next
// token within one interval; where that does not come out, it is no bucket, and
// all of the quota comes back at once.
func nextToken(interval float64, result ratelimit.Result) time.Duration {
	missing := result.Limit - result.Remaining
	next := float64(result.ResetAfter) - float64(missing-1)*interval
	if missing > 0 && next > 0 && next <= interval*(1+1e-9) {
		return time.Duration(next)
	}
	return result.ResetAfter
}

// seconds rounds up: a client that comes back a moment too early is refused again.
func seconds(d time.Duration) int64 {
	return int64((max(d, 0) + min(time.Second-1, math.MaxInt64-max(d, 0))) / time.Second)
}
