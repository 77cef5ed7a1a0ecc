package merkle

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/nbd-wtf/go-nostr/nip77/negentropy"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy/storage/vector"
)

// negentropyOf compares by range-based set reconciliation (Meyer), in the Go
// implementation of Negentropy v1 that Nostr relays run, without a limit of its
// frames. An id is position and version, then zeros; all times are equal, which
// makes its bounds as short as can be. Loading and sorting are not counted.
func negentropyOf(p pair) func() traffic {
	var sides [2]*vector.Vector
	for i := range sides {
		sides[i] = vector.New()
		var id [32]byte
		for _, e := range p.all(i) {
			binary.BigEndian.PutUint64(id[:8], e.h)
			binary.BigEndian.PutUint64(id[8:16], e.v)
			sides[i].Insert(0, hex.EncodeToString(id[:]))
		}
		sides[i].Seal()
	}
	return func() (sent traffic) {
		client, server := negentropy.New(sides[0], 0), negentropy.New(sides[1], 0)
		items := 0
		var drained sync.WaitGroup
		var mu sync.Mutex
		for _, found := range []chan string{client.Haves, client.HaveNots} {
			drained.Go(func() {
				for range found {
					mu.Lock()
					items++
					mu.Unlock()
				}
			})
		}
		// Messages are hexadecimal inside Nostr's JSON; their bytes count.
		for out := client.Start(); out != ""; {
			in := check(server.Reconcile(out))
			sent.messages += 2
			sent.bytes += len(out)/2 + len(in)/2
			out = check(client.Reconcile(in))
		}
		drained.Wait()
		if items != p.items {
			panic(fmt.Sprintf("negentropy found %d of %d items", items, p.items))
		}
		sent.found = items
		return sent
	}
}
