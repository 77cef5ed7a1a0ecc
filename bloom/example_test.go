package bloom_test

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
)

func ExampleFilter() {
	f, err := bloom.New(1_000_000, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.AddString("https://example.com/"), f.AddString("https://example.com/"))
	fmt.Println(f.ContainsString("https://example.com/"), f.ContainsString("https://example.org/"))
	fmt.Printf("%.2f bits a key\n", float64(f.Bits())/1e6)
	// Output:
	// true false
	// true false
	// 10.53 bits a key
}

// One hash serves every structure of distkit, and any value that is different
// for different keys will do, a row number too.
func ExampleFilter_AddHash() {
	f, _ := bloom.New(1000, 0.01)
	for id := range uint64(1000) {
		f.AddHash(id)
	}
	fmt.Println(f.ContainsHash(999), f.ContainsHash(123_456))
	// Output: true false
}

func ExampleFilter_ContainsHashes() {
	f, _ := bloom.New(1000, 0.001)
	f.AddHashes([]uint64{2, 3, 5, 7})
	present := make([]bool, 6)
	n := f.ContainsHashes(present, []uint64{2, 3, 4, 5, 6, 7})
	fmt.Println(n, present)
	// Output: 4 [true true false true false true]
}

// Filters of parts give the filter of the whole.
func ExampleFilter_Merge() {
	monday, _ := bloom.New(1000, 0.01)
	tuesday, _ := bloom.New(1000, 0.01)
	monday.AddString("ann")
	tuesday.AddString("bob")
	if err := monday.Merge(tuesday); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(monday.ContainsString("ann"), monday.ContainsString("bob"), monday.ContainsString("cyd"))
	// Output: true true false
}

// Keys chosen by strangers: without a secret they can compute which keys a
// filter will take for members.
func ExampleFilter_hostileKeys() {
	secret := [16]byte([]byte("from crypto/rand")) // a distkit.Secret, in a program
	f, _ := bloom.New(1000, 0.01, bloom.WithSecret(secret))
	f.AddString("ann") // SipHash under the secret; may be stored and sent

	h := hash64.SipString(&secret, "ann") // secret.HashString("ann") of a distkit.Secret
	fmt.Println(f.ContainsHash(h))        // once a key, for every structure with that secret

	// Or, in this process only, a hash that dies with it, on a filter without a secret.
	seed := maphash.MakeSeed()
	g, _ := bloom.New(1000, 0.01)
	g.AddHash(maphash.String(seed, "bob"))
	fmt.Println(g.ContainsHash(maphash.String(seed, "bob")))
	// Output:
	// true
	// true
}

func ExampleFilter_MarshalText() {
	type segment struct {
		Name string
		Keys *bloom.Filter
	}
	f, _ := bloom.New(3, 0.1)
	f.AddString("ann")
	text, _ := json.Marshal(segment{"000001", f})

	var s segment
	err := json.Unmarshal(text, &s)
	fmt.Println(err, s.Keys.ContainsString("ann"), s.Keys.ContainsString("bob"))
	// Output: <nil> true false
}

// A row group of a Parquet file: only its raw blocks are stored.
func ExampleFromParquet() {
	f, _ := bloom.NewParquet(1000, 0.01)
	f.AddString("ann")
	bitset, _ := f.AppendParquet(nil)

	g, err := bloom.FromParquet(bitset)
	fmt.Println(err, g.ContainsString("ann"), g.ContainsString("bob"))
	// Output: <nil> true false
}

func ExampleConcurrent() {
	seen, _ := bloom.NewConcurrent(1_000_000, 0.001)
	var wg sync.WaitGroup
	var fresh atomic.Int64
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				if seen.AddHash(uint64(i)) {
					fresh.Add(1) // once a key, at least: for one added by two at once, perhaps twice
				}
			}
		})
	}
	wg.Wait()
	fmt.Println(fresh.Load() >= 1000, seen.ContainsHash(999), seen.ContainsHash(1000))
	fmt.Println(seen.Snapshot().ContainsHash(999))
	// Output:
	// true true false
	// true
}

// A filter in a file that is mapped into memory, or in a block of a cache.
func ExampleOpenView() {
	f, _ := bloom.New(1000, 0.01)
	f.AddString("ann")
	image, _ := f.MarshalBinary()

	v, err := bloom.OpenView(image)
	fmt.Println(err, v.ContainsString("ann"), v.ContainsString("bob"))
	fmt.Println(v.Verify())
	// Output:
	// <nil> true false
	// <nil>
}

// A crawler that does not know how many pages it will see builds large, and
// stores what is needed.
func ExampleFilter_Compact() {
	f, _ := bloom.New(10_000_000, 0.01)
	for id := range uint64(200_000) {
		f.AddHash(id)
	}
	small := f.Compact(0.01)
	fmt.Println(f.Bits()/small.Bits(), small.EstimatedFPR() <= 0.01, small.ContainsHash(199_999))
	// Output: 32 true true
}

// The smallest filter that keys can be added to, and rates that a Filter is not
// built for.
func ExampleClassic() {
	c, err := bloom.NewClassic(1_000_000, 1e-9)
	if err != nil {
		fmt.Println(err)
		return
	}
	c.AddString("ann")
	fmt.Println(c.ContainsString("ann"), c.ContainsString("bob"))
	fmt.Printf("%.1f bits a key, K %d\n", float64(c.Bits())/1e6, c.K())
	// Output:
	// true false
	// 43.1 bits a key, K 30
}

// What is in a cache now: keys come and go.
func ExampleCounting() {
	c, _ := bloom.NewCounting(1000, 0.001)
	c.AddString("ann")
	c.AddString("ann")
	fmt.Println(c.CountString("ann"), c.RemoveString("ann"), c.CountString("ann"))
	fmt.Println(c.RemoveString("ann"), c.ContainsString("ann"), c.RemoveString("ann"))
	// Output:
	// 2 true 1
	// true false false
}

// A set that is known as a whole, such as the keys of a file that is written.
func ExampleNewStatic() {
	var hashes []uint64
	for id := range uint64(1_000_000) {
		hashes = append(hashes, id)
	}
	s, err := bloom.NewStatic(hashes, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.ContainsHash(999_999), s.ContainsHash(1_000_000))
	fmt.Printf("%.2f bits a key at %.2f %%\n", float64(s.Bits())/1e6, 100*s.Rate())
	// Output:
	// true false
	// 7.91 bits a key at 0.78 %
}

// A stream of unknown length.
func ExampleScalable() {
	s, _ := bloom.NewScalable(1000, 0.01)
	for id := range uint64(100_000) {
		s.AddHash(id)
	}
	fmt.Println(s.Layers(), s.EstimatedFPR() < 0.01, s.ContainsHash(99_999))
	// Output: 7 true true
}

// Has this message been seen in the last ten minutes?
func ExampleRotating() {
	seen, err := bloom.NewRotating(100_000, 0.001, bloom.WithWindow(10*time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	fmt.Println(seen.AddStringAt(noon, "message 1"), seen.AddStringAt(noon.Add(time.Minute), "message 1"))
	fmt.Println(seen.ContainsStringAt(noon.Add(10*time.Minute), "message 1"))
	fmt.Println(seen.ContainsStringAt(noon.Add(14*time.Minute), "message 1"))
	// Output:
	// true false
	// true
	// false
}
