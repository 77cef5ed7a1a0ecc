package distkit_test

import (
	"expvar"
	"fmt"
	"log/slog"
	"os"

	"github.com/distkit/distkit/lru"
)

// Stats are plain values: expvar and slog take them as they are.
func Example_metrics() {
	cache, err := lru.New[string, int](100, lru.WithStats())
	if err != nil {
		panic(err)
	}
	cache.Set("a", 1)
	cache.Get("a")
	cache.Get("b")

	hits := expvar.Func(func() any { return cache.Stats().Hits })
	fmt.Println("hits:", hits)

	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	s := cache.Stats()
	log.Info("cache", "hits", s.Hits, "misses", s.Misses)
	// Output:
	// hits: 1
	// level=INFO msg=cache hits=1 misses=1
}
