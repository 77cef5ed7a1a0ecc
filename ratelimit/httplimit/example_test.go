package httplimit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
)

func hello(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }

func ask(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func Example() {
	keyed, err := ratelimit.NewKeyed(ratelimit.PerMinute(60).WithBurst(2))
	if err != nil {
		panic(err)
	}
	limit, err := httplimit.New(keyed,
		httplimit.WithKey(httplimit.KeyByIP(netip.MustParsePrefix("10.0.0.0/8")))) // our proxies
	if err != nil {
		panic(err)
	}
	h := limit.Handler(http.HandlerFunc(hello))
	for range 3 {
		w := ask(h, http.MethodGet, "/")
		fmt.Printf("%d %s %q\n", w.Code, w.Header().Get("RateLimit"), w.Header().Get("Retry-After"))
	}
	// Output:
	// 200 "default";r=1;t=1 ""
	// 200 "default";r=0;t=1 ""
	// 429 "default";r=0;t=1 "1"
}

// Logins are limited by address, and everything else more generously.
func ExampleNewRules() {
	logins, err := ratelimit.NewKeyed(ratelimit.PerMinute(1))
	if err != nil {
		panic(err)
	}
	all, err := ratelimit.NewKeyed(ratelimit.PerSecond(100))
	if err != nil {
		panic(err)
	}
	limit, err := httplimit.NewRules(
		httplimit.Rule{Pattern: "POST /login", Name: "login", Limiter: logins},
		httplimit.Rule{Pattern: "/", Name: "all", Limiter: all},
	)
	if err != nil {
		panic(err)
	}
	h := limit.Handler(http.HandlerFunc(hello))
	fmt.Println(ask(h, http.MethodPost, "/login").Code)
	fmt.Println(ask(h, http.MethodPost, "/login").Code)
	fmt.Println(ask(h, http.MethodGet, "/login").Code)
	// Output:
	// 200
	// 429
	// 200
}

func ExampleRule() {
	perAccount, err := ratelimit.NewKeyed(ratelimit.PerMinute(5))
	if err != nil {
		panic(err)
	}
	rule := httplimit.Rule{
		Pattern: "POST /login", Name: "login", Limiter: perAccount,
		Key: httplimit.Join(httplimit.KeyByIP(), httplimit.KeyByHeader("Account")),
	}
	_, err = httplimit.NewRules(rule)
	fmt.Println(err)
	// Output:
	// <nil>
}

func ExampleKeyFunc() {
	tenant := httplimit.KeyFunc(func(r *http.Request) (string, error) {
		if r.Host == "" {
			return "", fmt.Errorf("host is missing")
		}
		return r.Host, nil
	})
	fmt.Println(tenant(httptest.NewRequest(http.MethodGet, "http://shop.example/", nil)))
	// Output:
	// shop.example <nil>
}

// A limit that is to come only marks what it would refuse.
func ExampleOption() {
	keyed, err := ratelimit.NewKeyed(ratelimit.PerHour(1))
	if err != nil {
		panic(err)
	}
	limit, err := httplimit.New(keyed, httplimit.WithShadow(),
		httplimit.WithObserver(func(_ *http.Request, r ratelimit.Result, err error) { fmt.Println("allowed:", r.Allowed, err) }))
	if err != nil {
		panic(err)
	}
	h := limit.Handler(http.HandlerFunc(hello))
	fmt.Println(ask(h, http.MethodGet, "/").Code)
	fmt.Println(ask(h, http.MethodGet, "/").Code)
	// Output:
	// allowed: true <nil>
	// 200
	// allowed: false <nil>
	// 200
}

func ExampleMiddleware() {
	keyed, err := ratelimit.NewKeyed(ratelimit.PerHour(1))
	if err != nil {
		panic(err)
	}
	limit, err := httplimit.New(keyed, httplimit.WithSoft(ratelimit.PerHour(1)))
	if err != nil {
		panic(err)
	}
	h := limit.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result, _ := httplimit.FromContext(r.Context())
		fmt.Println("within the limit:", result.Allowed)
	}))
	for range 3 {
		fmt.Println(ask(h, http.MethodGet, "/").Code)
	}
	// Output:
	// within the limit: true
	// 200
	// within the limit: false
	// 200
	// 429
}

func ExampleNewTransport() {
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	client := &http.Client{Transport: httplimit.NewTransport(nil, httplimit.WithMaxWait(5*time.Second))}
	resp, err := client.Get(server.URL)
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode, "after", tries, "tries")
	// Output:
	// 200 after 2 tries
}

func ExampleTransportOption() {
	rt := httplimit.NewTransport(nil, httplimit.WithRetries(5), httplimit.WithRetryBudget(0.1))
	fmt.Println(rt != nil)
	// Output:
	// true
}
