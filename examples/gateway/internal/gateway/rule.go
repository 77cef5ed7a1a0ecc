package gateway

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
)

// rule is one limit of the file of rules, a JSON array:
//
//	[
//	  {"name": "address", "pattern": "POST /login", "per": "ip",        "limit": "20/m"},
//	  {"name": "account", "pattern": "POST /login", "per": "form:user", "limit": "5/15m"},
//	  {"name": "search",  "pattern": "/search",     "per": "ip",        "limit": "5/s", "mode": "delay", "delay": "2s"},
//	  {"name": "client",  "pattern": "/",           "per": "ip",        "limit": "50/s;burst=100, 100000/day"}
//	]
//
// Of the patterns that match a request the most specific one applies, alone; all of
// its rules must let the request pass, and are asked in the order of the file.
type rule struct {
	Name    string `json:"name"`    // in RateLimit, in problems and in Redis; printable ASCII, unique
	Pattern string `json:"pattern"` // of http.ServeMux
	Per     string `json:"per"`     // what is counted, see keyFunc
	Limit   string `json:"limit"`   // for ratelimit.ParseLimit, several by commas
	Mode    string `json:"mode"`    // "hard", which is also "", "soft", "shadow" or "delay"
	Extra   string `json:"extra"`   // what passes beyond Limit, marked; of mode soft
	Delay   string `json:"delay"`   // longest wait, for time.ParseDuration; of mode delay
	AtOnce  int    `json:"at_once"` // requests under way, of all clients; more get 503. 0: any number
	Open    bool   `json:"open"`    // requests pass while Redis does not answer, without -fallback
}

// defaultRules are for who has no file.
//
//go:embed rules.json
var defaultRules []byte

// readRules returns the text of the rules.
func readRules(file string) ([]byte, error) {
	if file == "" {
		return defaultRules, nil
	}
	return os.ReadFile(file)
}

// parseRules returns the rules of a file. A field that is unknown is an error: a typo
// must not lift a limit.
func parseRules(text []byte) ([]rule, error) {
	var rules []rule
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&rules); err != nil {
		return nil, fmt.Errorf("want a JSON array of rules: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("want a JSON array of rules, and nothing after it")
	}
	seen := map[string]bool{}
	for i, r := range rules {
		if r.Name == "" {
			return nil, fmt.Errorf("rule %d, of %q, has no name", i, r.Pattern)
		}
		if seen[r.Name] {
			return nil, fmt.Errorf("rule %d: name %q is there twice", i, r.Name)
		}
		seen[r.Name] = true
	}
	return rules, nil
}

// limits parses what the rule lets pass.
func (r rule) limits() ([]ratelimit.Limit, error) {
	var limits []ratelimit.Limit
	for text := range strings.SplitSeq(r.Limit, ",") {
		l, err := ratelimit.ParseLimit(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		limits = append(limits, l)
	}
	return limits, nil
}

// names are those of the rule's limits: the first has the rule's.
func (r rule) names(limits int) []string {
	names := []string{r.Name}
	for i := 2; i <= limits; i++ {
		names = append(names, fmt.Sprintf("%s-%d", r.Name, i))
	}
	return names
}

// mode returns what becomes of requests beyond the limits.
func (r rule) mode() ([]httplimit.Option, error) {
	var opts []httplimit.Option
	switch r.Mode {
	case "", "hard":
	case "shadow":
		opts = append(opts, httplimit.WithShadow())
	case "soft":
		extra, err := ratelimit.ParseLimit(r.Extra)
		if err != nil {
			return nil, fmt.Errorf("extra: %w", err)
		}
		opts = append(opts, httplimit.WithSoft(extra))
	case "delay":
		d, err := time.ParseDuration(r.Delay)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("delay is %q, want a duration as in 2s", r.Delay)
		}
		opts = append(opts, httplimit.WithDelay(d))
	default:
		return nil, fmt.Errorf("mode is %q, want hard, soft, shadow or delay", r.Mode)
	}
	switch {
	case r.Extra != "" && r.Mode != "soft":
		return nil, errors.New("extra is for mode soft")
	case r.Delay != "" && r.Mode != "delay":
		return nil, errors.New("delay is for mode delay")
	}
	if r.AtOnce != 0 {
		opts = append(opts, httplimit.WithConcurrency(r.AtOnce))
	}
	if r.Open {
		opts = append(opts, httplimit.WithFailOpen())
	}
	return opts, nil
}
