package gateway

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	listen, rules, balance, redis, health string
	backends, trust                       []string
	interval, timeout, grace, poll        time.Duration
	threshold                             int
	fallback                              float64
}

func (o *options) parse(args []string, errs io.Writer) error {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	flags.SetOutput(errs)
	list := func(to *[]string) func(string) error {
		return func(s string) error { *to = append(*to, s); return nil }
	}
	flags.StringVar(&o.listen, "listen", "localhost:8080", "serve at this `address`")
	flags.Func("backend", "pass requests on to this `URL`, which may end in ,weight=N; repeat it for more", list(&o.backends))
	flags.StringVar(&o.balance, "balance", "roundrobin", "who gets a request: "+strings.Join(balancerNames(), ", "))
	flags.StringVar(&o.rules, "rules", "", "limits are in this `file`, read again when it changes (default: limits of its own)")
	flags.StringVar(&o.redis, "redis", "", "count in the Redis at this `address`, with all gateways that do")
	flags.Float64Var(&o.fallback, "fallback", 0, "while Redis does not answer, count here, at this `share` of the limits (default: answer 503)")
	flags.Func("trust", "believe X-Forwarded-For from proxies in this `CIDR`; repeat it for more", list(&o.trust))
	flags.StringVar(&o.health, "health", "/", "a backend is alive that answers this `path` with less than 500")
	flags.DurationVar(&o.interval, "interval", 2*time.Second, "time between two checks of a backend")
	flags.IntVar(&o.threshold, "threshold", 2, "checks in a row that change what a backend is taken for")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second, "longest wait for a backend's answer to begin")
	flags.DurationVar(&o.grace, "grace", 10*time.Second, "longest wait for requests under way when it is told to stop")
	flags.DurationVar(&o.poll, "poll", time.Second, "time between two looks at the file of rules")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("arguments are %q, want none but flags", flags.Args())
	case len(o.backends) == 0 && flags.NFlag() > 0:
		return errors.New("no -backend; without any flag there is a demonstration")
	case !(o.fallback >= 0 && o.fallback <= 1):
		return fmt.Errorf("-fallback is %v, want 0 to 1", o.fallback)
	case o.fallback > 0 && o.redis == "":
		return errors.New("-fallback is for -redis")
	case o.threshold < 1:
		return fmt.Errorf("-threshold is %d, want at least 1", o.threshold)
	}
	for name, d := range map[string]time.Duration{"interval": o.interval, "timeout": o.timeout, "poll": o.poll} {
		if d <= 0 {
			return fmt.Errorf("-%s is %v, want more than 0", name, d)
		}
	}
	return nil
}

func parseTrust(cidrs []string) ([]netip.Prefix, error) {
	var trust []netip.Prefix
	for _, s := range cidrs {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("-trust is %q, want a network as in 10.0.0.0/8", s)
		}
		trust = append(trust, prefix.Masked())
	}
	return trust, nil
}
