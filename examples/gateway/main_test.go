package main

import (
	"log"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func Example() {
	if err := run(nil, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Backends a, b and c take turns. A client has 3 requests a minute, an IPv6 client is its /64:
	//   192.0.2.7    GET  /                  200 from a  "client";r=2;t=20
	//   192.0.2.7    GET  /                  200 from b  "client";r=1;t=20
	//   192.0.2.7    GET  /                  200 from c  "client";r=0;t=20
	//   192.0.2.7    GET  /                  429, retry after 20 s  "client";r=0;t=20
	//   2001:db8::1  GET  /                  200 from a  "client";r=2;t=20
	//   2001:db8::2  GET  /                  200 from b  "client";r=1;t=20
	// After 20 s:
	//   192.0.2.7    GET  /                  200 from c  "client";r=0;t=20
	// Passwords of alice are tried from address after address, but an account has 3 tries in 15 minutes:
	//   198.51.100.1 POST /login user=alice  401 from a  "address";r=9;t=6, "account";r=2;t=300
	//   198.51.100.2 POST /login user=Alice  401 from b  "address";r=9;t=6, "account";r=1;t=300
	//   198.51.100.3 POST /login user=ALICE  401 from c  "address";r=9;t=6, "account";r=0;t=300
	//   198.51.100.4 POST /login user= alice 429, retry after 300 s  "address";r=9;t=6, "account";r=0;t=300
	//   198.51.100.5 POST /login user=bob    401 from a  "address";r=9;t=6, "account";r=2;t=300
	// b dies, and the request whose turn it was gets another backend:
	//   gateway: http://b is down, 2 of 3 are up: dial tcp: connection refused
	//   203.0.113.1  GET  /                  200 from c  "client";r=2;t=20
	//   203.0.113.2  GET  /                  200 from a  "client";r=2;t=20
	//   203.0.113.3  GET  /                  200 from c  "client";r=2;t=20
	// All die:
	//   gateway: http://a is down, 1 of 3 are up: dial tcp: connection refused
	//   gateway: http://c is down, 0 of 3 are up: dial tcp: connection refused
	//   203.0.113.4  GET  /                  503, retry after 1 s  "client";r=2;t=20
}

func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-redis localhost:6379 -backend http://a": "-redis needs a client for Redis, which this program does not have: go run ./examples/gateway/redis",
		"-rules x.json":                                 "no -backend; without any flag there is a demonstration",
		"-backend http://a -rules /no/such/file":        "open /no/such/file: no such file or directory",
		"-backend http://a -listen nowhere:at:all":      "listen tcp: address nowhere:at:all: too many colons in address",
		"-backend http://a there":                       `arguments are ["there"], want none but flags`,
		"-backend http://a -backend http://a":           "-backend http://a is there twice",
		"-backend ftp://a":                              `-backend is "ftp://a", want a URL as in http://10.0.0.7:8080`,
		"-backend http://a?b":                           `-backend is "http://a?b", want a URL without user, query and fragment`,
		"-backend http://a,weight=0":                    `-backend http://a: "weight=0", want weight= and a number of 1 to 1000`,
		"-backend http://a,heavy":                       `-backend http://a: "heavy", want weight= and a number of 1 to 1000`,
		"-backend http://a -balance fair":               `-balance is "fair", want bounded, iphash, least, roundrobin, weighted`,
		"-backend http://a -trust 10.0.0.1":             `-trust is "10.0.0.1", want a network as in 10.0.0.0/8`,
		"-backend http://a -fallback 2":                 "-fallback is 2, want 0 to 1",
		"-backend http://a -fallback 0.5":               "-fallback is for -redis",
		"-backend http://a -threshold 0":                "-threshold is 0, want at least 1",
		"-backend http://a -interval -1s":               "-interval is -1s, want more than 0",
		"-backend http://a -listen localhost:0 -poll 0": "-poll is 0s, want more than 0",
	} {
		assert.EqualError(t, run(strings.Fields(args), nil, &strings.Builder{}), want, args)
	}
}
