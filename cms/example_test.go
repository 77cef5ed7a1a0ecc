package cms_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/distkit/distkit/cms"
)

// Estimates are never below the truth, and above it by more than epsilon of all
// that was counted only with probability delta.
func ExampleSketch() {
	s, err := cms.New(0.001, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		s.AddString("GET /cart")
	}
	s.AddStringN("GET /", 40)
	fmt.Println(s.CountString("GET /cart"), s.CountString("GET /"), s.CountString("GET /admin"))
	fmt.Println("counted:", s.Total(), "error at most:", s.ErrorBound())
	// Output:
	// 3 40 0
	// counted: 43 error at most: 1
}

// The sketches of two shards add up to that of both.
func ExampleSketch_Merge() {
	left, _ := cms.New(0.001, 0.01)
	right, _ := cms.New(0.001, 0.01)
	left.AddStringN("GET /", 40)
	right.AddStringN("GET /", 2)
	if err := left.Merge(right); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(left.CountString("GET /"))
	// Output: 42
}

func ExampleTopK() {
	t, err := cms.NewTopK(2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 1000 {
		t.AddString(fmt.Sprint("rare-", i))
	}
	t.AddStringN("hot", 500)
	t.AddStringN("warm", 100)
	for item := range t.Items() {
		fmt.Printf("%+v\n", item)
	}
	// Output:
	// {Key:hot Count:501 Error:1}
	// {Key:warm Count:101 Error:1}
}

func ExampleConcurrent() {
	c, err := cms.NewConcurrent(0.001, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				c.AddString("GET /")
			}
		})
	}
	wg.Wait()
	fmt.Println(c.CountString("GET /"))
	// Output: 400
}

// A key that many asked for this morning gives way to one that few ask for now.
func ExampleTrending() {
	t, err := cms.NewTrending(2, time.Hour)
	if err != nil {
		fmt.Println(err)
		return
	}
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for range 64 {
		t.AddStringAt(noon.Add(-8*time.Hour), "breakfast")
	}
	t.AddStringAt(noon, "lunch")
	t.AddStringAt(noon, "lunch")
	for item := range t.ItemsAt(noon.Add(time.Hour)) {
		fmt.Println(item.Key, item.Score)
	}
	// Output:
	// lunch 1
	// breakfast 0.125
}

// Requests of the last hour, to within ten minutes.
func ExampleWindow() {
	w, err := cms.NewWindow(0.001, 0.01, time.Hour, cms.WithPanes(7))
	if err != nil {
		fmt.Println(err)
		return
	}
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for minute := range 120 {
		w.AddStringAt(noon.Add(time.Duration(minute)*time.Minute), "GET /")
	}
	fmt.Println(w.CountStringAt(noon.Add(119*time.Minute), "GET /"))
	fmt.Println(w.CountStringAt(noon.Add(150*time.Minute), "GET /"))
	fmt.Println(w.CountStringAt(noon.Add(200*time.Minute), "GET /"))
	// Output:
	// 70
	// 30
	// 0
}

// Many goroutines count into a TopK for each shard, which takes the place of a
// concurrent one; who asks merges them. Bounds of the merge are as certain as those
// of one TopK.
func ExampleTopK_sharded() {
	type shard struct {
		sync.Mutex
		*cms.TopK
	}
	shards := make([]shard, 4)
	for i := range shards {
		shards[i].TopK, _ = cms.NewTopK(10)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 1000 {
				key := fmt.Appendf(nil, "user-%d", min(i%7, i%50))
				h := shards[0].Hash(key) // all shards hash alike
				s := &shards[h%uint64(len(shards))]
				s.Lock()
				s.AddHash(h, key)
				s.Unlock()
			}
		})
	}
	wg.Wait()

	all, _ := cms.NewTopK(10)
	for i := range shards {
		shards[i].Lock()
		if err := all.Merge(shards[i].TopK); err != nil {
			fmt.Println(err)
		}
		shards[i].Unlock()
	}
	for item := range all.Items() {
		if item.Count > 1100 {
			fmt.Printf("%+v\n", item)
		}
	}
	// Output:
	// {Key:user-0 Count:1280 Error:0}
	// {Key:user-1 Count:1240 Error:0}
	// {Key:user-2 Count:1192 Error:0}
	// {Key:user-3 Count:1144 Error:0}
}
