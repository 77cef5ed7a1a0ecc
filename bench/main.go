// Command bench runs the bars that distkit's packages are held to and prints
// them as Markdown tables. It exits with 1 if a bar is short, with 2 if it was
// called wrongly.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bench/bloom"
	"github.com/distkit/distkit/bench/cms"
	"github.com/distkit/distkit/bench/hashing"
	"github.com/distkit/distkit/bench/hll"
	"github.com/distkit/distkit/bench/lru"
	"github.com/distkit/distkit/bench/merkle"
	"github.com/distkit/distkit/bench/quorum"
	"github.com/distkit/distkit/bench/ratelimit"
	"github.com/distkit/distkit/bench/redislimit"
	"github.com/distkit/distkit/bench/ring"
	"github.com/distkit/distkit/bench/vclock"
)

var suites = []func() bar.Suite{
	bloom.Suite,
	cms.Suite,
	hashing.Suite,
	hll.Suite,
	lru.Suite,
	merkle.Suite,
	quorum.Suite,
	ratelimit.Suite,
	redislimit.Suite,
	ring.Suite,
	vclock.Suite,
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	pattern := flags.String("run", "", "only bars whose name matches this `regexp`")
	rounds := flags.Int("rounds", 9, "rounds of each side; the fastest counts")
	flags.StringVar(&lru.Traces, "traces", lru.Traces, "`folder` of the requests that lru replays beside generated ones")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	match, err := regexp.Compile(*pattern)
	if err != nil {
		fmt.Fprintf(errs, "bench: -run is %q: %v\n", *pattern, err)
		return 2
	}
	if *rounds < 1 {
		fmt.Fprintf(errs, "bench: -rounds is %d, want at least 1\n", *rounds)
		return 2
	}
	var names []string
	for _, suite := range suites {
		names = append(names, suite().Package)
	}
	for _, want := range flags.Args() {
		if !slices.Contains(names, want) {
			fmt.Fprintf(errs, "bench: package is %q, want one of %s\n", want, strings.Join(names, ", "))
			return 2
		}
	}
	fmt.Fprintf(out, "%s %s/%s, GOMAXPROCS %d, fastest of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), *rounds)
	short := 0
	for i, suite := range suites {
		if flags.NArg() == 0 || slices.Contains(flags.Args(), names[i]) {
			short += bar.Run(out, suite(), match, *rounds)
		}
	}
	if short > 0 {
		fmt.Fprintf(errs, "bench: %d short\n", short)
		return 1
	}
	return 0
}
