package bloom

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/greatroar/blobloom"
	holiman "github.com/holiman/bloomfilter/v2"
	parquet "github.com/parquet-go/parquet-go/bloom"
)

const (
	million = 1_000_000
	rate    = 0.01
	// queries is how many different hashes a loop asks for, in random order.
	queries = 1 << 21
)

// hashes returns the hashes of keys that were added, of n, or of others.
func hashes(n int, hit bool) []uint64 {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	hs := make([]uint64, queries)
	for i := range hs {
		id := r.IntN(n)
		if !hit {
			id += n
		}
		hs[i] = hash64.Integer(id)
	}
	return hs
}

// once builds what fill fills with n keys, and keeps it for the bars to come.
func once[F any](build func(n int) F) func(n int) F {
	var mu sync.Mutex
	built := map[int]F{}
	return func(n int) F {
		mu.Lock()
		defer mu.Unlock()
		f, ok := built[n]
		if !ok {
			f = build(n)
			built[n] = f
		}
		return f
	}
}

func addAll(n int, add func(h uint64)) {
	for i := range n {
		add(hash64.Integer(i))
	}
}

var filters = once(func(n int) *bloom.Filter {
	f := check(bloom.New(uint64(n), rate))
	addAll(n, func(h uint64) { f.AddHash(h) })
	return f
})

var raws = once(func(n int) *bloom.Filter {
	f := check(bloom.NewParquet(uint64(n), rate))
	addAll(n, func(h uint64) { f.AddHash(h) })
	return f
})

// parquets have our size: the library has no sizing by rate.
var parquets = once(func(n int) parquet.SplitBlockFilter {
	return parquet.MakeSplitBlockFilter(check(raws(n).AppendParquet(nil)))
})

var blobs = once(func(n int) *blobloom.Filter {
	f := blobloom.NewOptimized(blobloom.Config{Capacity: uint64(n), FPRate: rate})
	addAll(n, f.Add)
	return f
})

var holimans = once(func(n int) *holiman.Filter {
	f := check(holiman.NewOptimal(uint64(n), rate))
	addAll(n, f.AddHash)
	return f
})

// key is of 24 bytes, as in workloads of user identities.
func key(i int) string { return fmt.Sprintf("user:%019d", i) }

// keyBytes is the length of a key.
const keyBytes = 24

// keys returns keys that were added, of n, or others, one after the other.
func keys(n int, hit bool) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 2))
	var all []byte
	for range keyCount {
		id := r.IntN(n)
		if !hit {
			id += n
		}
		all = append(all, key(id)...)
	}
	return all
}

const keyCount = 1 << 18

func addKeys(n int, add func(key []byte)) {
	for i := range n {
		add([]byte(key(i)))
	}
}

// hash is what a user of a hash-fed peer calls.
func hash(key []byte) uint64 { return xxhash.Sum64(key) }
