// Command gateway is a reverse proxy that holds clients to limits: by address, by
// account, by endpoint, as a file of rules says, which it reads again when that
// changes. It asks its backends how they are, and gives requests to those that are
// alive. Without flags it shows that with backends and clients of its own.
//
//	go run ./examples/gateway
//	go run ./examples/gateway -backend http://localhost:9001 -backend http://localhost:9002,weight=2 -balance weighted -rules rules.json
//
// The file of rules is described in internal/gateway/rule.go, with an example. The same
// with limits that several gateways share is go run ./examples/gateway/redis.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/distkit/distkit/examples/gateway/internal/gateway"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("gateway:", err)
	}
}

func run(args []string, _ io.Reader, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return gateway.Program{}.Run(ctx, args, out)
}
