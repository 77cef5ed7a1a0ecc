package main

import (
	"log"
	"os"
)

func Example() {
	if err := run(nil, nil, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// cart:7 is on [c b a]; reads and writes of two of them meet: true
	// b is down; two clients who have both read [milk] write:
	//   "milk, eggs" through server-1: ok, 2 of 3 have it
	//   "milk, tea" through server-2: ok, 2 of 3 have it
	// neither is lost: [milk, eggs | milk, tea] seen: {"server-1":2, "server-2":1}
	// merged by who saw both: [milk, eggs, tea]
}
