package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/hll"
)

// exactUsage counts what the nodes count too, in as much memory as it takes.
type exactUsage struct {
	mu      sync.Mutex
	keys    map[string]uint64
	clients map[string]bool
}

func newExactUsage() *exactUsage {
	return &exactUsage{keys: map[string]uint64{}, clients: map[string]bool{}}
}

func (e *exactUsage) add(key, client string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys[key]++
	e.clients[client] = true
}

// top returns the n keys that were asked for most.
func (e *exactUsage) top(n int) []string {
	keys := make([]string, 0, len(e.keys))
	for key := range e.keys {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if e.keys[a] != e.keys[b] {
			return int(e.keys[b]) - int(e.keys[a])
		}
		return strings.Compare(a, b)
	})
	return keys[:min(n, len(keys))]
}

// check compares the sketches of all nodes with the truth: it holds as long as
// no node died with counts that it had not told anybody.
//
// I4: the truth of every hot key lies within its bounds, no key of the ten
// hottest is missing unless the sketch says that it may be, and the number of
// clients is within three standard errors.
func (e *exactUsage) check(hot *cms.TopK, clients *hll.Sketch) (found []Violation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	listed := map[string]bool{}
	for item := range hot.Items() {
		listed[item.Key] = true
		if truth := e.keys[item.Key]; truth < item.Count-item.Error || truth > item.Count {
			found = append(found, Violation{"I4", item.Key, fmt.Sprintf("was asked for %d times, not %d to %d", truth, item.Count-item.Error, item.Count)})
		}
	}
	for _, key := range e.top(10) {
		if !listed[key] && e.keys[key] > hot.MinCount() {
			found = append(found, Violation{"I4", key, fmt.Sprintf("was asked for %d times and is not listed", e.keys[key])})
		}
	}
	if low, high := clients.Bounds(3); uint64(len(e.clients)) < low || uint64(len(e.clients)) > high {
		found = append(found, Violation{"I4", "clients", fmt.Sprintf("are %d, not %d to %d", len(e.clients), low, high)})
	}
	return found
}

// compare shows the hottest keys as the sketch has them beside the truth.
func (e *exactUsage) compare(hot *cms.TopK, n int) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []string
	for item := range hot.Items() {
		if len(list) == n {
			break
		}
		list = append(list, fmt.Sprintf("%s %d/%d", strings.TrimPrefix(item.Key, "word/"), item.Count, e.keys[item.Key]))
	}
	return strings.Join(list, ", ")
}
