// Command sync copies from one folder to another only the files that differ. Which
// these are, the two sides find out by merkle messages of some 60 bytes for each of
// them, however many files there are.
//
//	go run ./examples/sync                            two folders of its own
//	go run ./examples/sync FROM TO
//	go run ./examples/sync -serve localhost:7000 FROM
//	go run ./examples/sync -from localhost:7000 TO
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("sync:", err)
	}
}

func run(args []string, _ io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("sync", flag.ContinueOnError)
	address := flags.String("serve", "", "serve the folder at this `address`")
	from := flags.String("from", "", "copy from the folder that is served at this `address`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch folders := flags.Args(); {
	case *address != "" && *from == "" && len(folders) == 1:
		l, err := net.Listen("tcp", *address)
		if err != nil {
			return err
		}
		return listen(l, folders[0])
	case *from != "" && *address == "" && len(folders) == 1:
		return pull(*from, folders[0], out)
	case *address+*from == "" && len(folders) == 2:
		l, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			return err
		}
		defer l.Close()
		go listen(l, folders[0])
		return pull(l.Addr().String(), folders[1], out)
	case len(args) == 0:
		return demo(out)
	}
	return fmt.Errorf("%d folders, want FROM and TO, or one of them with -serve or -from", flags.NArg())
}

// listen serves a folder to all who come, as it is when they come.
func listen(l net.Listener, folder string) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			if err := serve(conn, folder); err != nil {
				log.Println("sync:", conn.RemoteAddr(), err)
			}
		}()
	}
}
