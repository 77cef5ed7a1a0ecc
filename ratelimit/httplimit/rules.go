package httplimit

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/distkit/distkit/ratelimit"
)

// Rule is the limit of the requests that match a pattern.
type Rule struct {
	// Pattern is one of http.ServeMux: "POST /login", "/api/", "/".
	Pattern string
	// Name is the name of the policy, or of the first of several; "" is "default".
	Name string
	// Limiter decides. Rules may share one; then they share its keys too.
	Limiter ratelimit.Decider
	// Key is what requests count for; nil is KeyByIP().
	Key KeyFunc
	// Cost is how many events a request counts for; nil is 1.
	Cost func(*http.Request) int64
	// Options are the rest, as for New.
	Options []Option
}

// NewRules returns a middleware with a limit for each pattern. Of the rules whose
// patterns match, that of the most specific pattern alone applies, as in
// http.ServeMux; what matches none passes. A bad or repeated pattern is an error.
func NewRules(rules ...Rule) (*Middleware, error) {
	m := &Middleware{rules: http.NewServeMux(), by: map[string]*policy{}}
	for i, rule := range rules {
		opts := slices.Clone(rule.Options)
		if rule.Name != "" {
			opts = append(opts, WithPolicy(rule.names()...))
		}
		if rule.Key != nil {
			opts = append(opts, WithKey(rule.Key))
		}
		if rule.Cost != nil {
			opts = append(opts, WithCost(rule.Cost))
		}
		p, err := newPolicy(rule.Limiter, opts)
		if err == nil {
			err = m.add(rule.Pattern, p)
		}
		if err != nil {
			return nil, fmt.Errorf("httplimit: rule %d, pattern %q: %w", i, rule.Pattern, err)
		}
	}
	return m, nil
}

// names are those of all limits of the rule.
func (r Rule) names() []string {
	names := []string{r.Name}
	if d, ok := r.Limiter.(ratelimit.Policies); ok {
		for i := 2; i <= len(d.Limits()); i++ {
			names = append(names, fmt.Sprintf("%s-%d", r.Name, i))
		}
	}
	return names
}

func (m *Middleware) add(pattern string, p *policy) (err error) {
	defer func() {
		if reason := recover(); reason != nil { // the mux refuses a pattern by a panic
			err = fmt.Errorf("%v", reason)
		}
	}()
	m.rules.Handle(pattern, http.NotFoundHandler())
	m.by[pattern] = p
	return nil
}
