package lru

import "fmt"

// Check returns what is wrong with c, which must be nothing after every method.
func Check[K comparable, V any](c *Cache[K, V]) error {
	if c.capacity == 0 {
		if c.table.live != 0 || len(c.nodes) != 0 {
			return fmt.Errorf("a zero cache holds something")
		}
		return nil
	}
	if c.cursors != nil {
		return fmt.Errorf("an iteration is left")
	}
	if c.reported != len(c.left) {
		return fmt.Errorf("%d departures, %d reported", len(c.left), c.reported)
	}
	for list := range c.nodes[:firstEntry] {
		if n := c.nodes[list]; any(n.key) != any(*new(K)) {
			return fmt.Errorf("head %d holds a key", list)
		}
	}
	seen := make([]bool, len(c.nodes))
	entries, weight := 0, uint64(0)
	for list := range uint32(firstEntry) {
		last := list
		for i := c.nodes[list].newer; i != list; i = c.nodes[i].newer {
			if i < firstEntry || int(i) >= c.fresh || seen[i] {
				return fmt.Errorf("list %d: node %d is no entry, or seen twice", list, i)
			}
			if c.nodes[i].older != last {
				return fmt.Errorf("list %d: node %d follows %d and says %d", list, i, last, c.nodes[i].older)
			}
			if c.list(i) != list {
				return fmt.Errorf("node %d is in list %d", i, list)
			}
			seen[i], last = true, i
			entries++
			if c.weigher != nil {
				weight += uint64(c.weights[i])
			} else {
				weight++
			}
			if got := c.find(c.placeOf(i), c.nodes[i].key); got != i && c.nodes[i].key == c.nodes[i].key {
				return fmt.Errorf("key %v of node %d is found in %d", c.nodes[i].key, i, got)
			}
		}
		if c.nodes[list].older != last {
			return fmt.Errorf("list %d ends in %d, head says %d", list, last, c.nodes[list].older)
		}
	}
	free := 0
	for i := c.free; i != none; i = c.nodes[i].newer {
		if seen[i] {
			return fmt.Errorf("node %d is free and used", i)
		}
		seen[i] = true
		free++
		if any(c.nodes[i].key) != any(*new(K)) {
			return fmt.Errorf("free node %d still holds key %v", i, c.nodes[i].key)
		}
	}
	if firstEntry+entries+free != c.fresh {
		return fmt.Errorf("%d entries and %d free nodes of %d", entries, free, c.fresh)
	}
	switch {
	case entries != c.Len():
		return fmt.Errorf("%d entries, Len is %d", entries, c.Len())
	case weight != c.Weight():
		return fmt.Errorf("weight is %d, Weight says %d", weight, c.Weight())
	case weight > c.capacity:
		return fmt.Errorf("weight %d of %d", weight, c.capacity)
	case c.places != nil && len(c.places) != len(c.nodes), c.weights != nil && len(c.weights) != len(c.nodes):
		return fmt.Errorf("slabs of %d, %d and %d", len(c.nodes), len(c.places), len(c.weights))
	}
	return checkTable(&c.table)
}

func checkTable(t *table) error {
	live, used := 0, 0
	nodes := map[uint32]bool{}
	for i := range t.groups {
		g := &t.groups[i]
		for s := range groupSize {
			b := g.control >> (8 * s) & 0xff
			switch {
			case b == 0:
				continue
			case b >= 0x80:
				live++
				if nodes[g.nodes[s]] {
					return fmt.Errorf("node %d has two slots", g.nodes[s])
				}
				nodes[g.nodes[s]] = true
			case b != controlDeleted:
				return fmt.Errorf("control byte %#x", b)
			}
			used++
		}
	}
	if live != t.live || used != t.used || used == groupSize*len(t.groups) && used != 0 {
		return fmt.Errorf("table: %d live, %d used in %d groups; counts say %d, %d", live, used, len(t.groups), t.live, t.used)
	}
	return nil
}

// Groups returns how many groups the table has.
func Groups[K comparable, V any](c *Cache[K, V]) int { return len(c.table.groups) }
