package gateway

import (
	"fmt"
	"net/http"
	"slices"
)

// router finds the rules of the most specific pattern that matches a request.
type router struct {
	patterns *http.ServeMux
	chains   map[string]http.Handler
	rest     http.Handler // of what matches none
}

func newRouter(chain []*limit, next http.Handler) (_ *router, err error) {
	defer func() {
		if reason := recover(); reason != nil { // the mux refuses a pattern by a panic
			err = fmt.Errorf("%v", reason)
		}
	}()
	x := &router{http.NewServeMux(), map[string]http.Handler{}, next}
	for _, l := range slices.Backward(chain) { // the first of a pattern is outermost
		inner, seen := x.chains[l.Pattern]
		if !seen {
			x.patterns.Handle(l.Pattern, next)
			inner = next
		}
		x.chains[l.Pattern] = l.middleware.Handler(inner)
	}
	return x, nil
}

func (x *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, pattern := x.patterns.Handler(r)
	if chain, ok := x.chains[pattern]; ok {
		chain.ServeHTTP(w, r)
		return
	}
	x.rest.ServeHTTP(w, r)
}
