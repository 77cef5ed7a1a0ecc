package vclock

import (
	"bytes"
	"encoding/gob"
	"maps"
	"sync"
	"time"

	"github.com/distkit/distkit/vclock"
)

// VClock is a vector clock as GoVector keeps it: a mutable map, copied entry by
// entry where a value must not change. It has GoVector's name, for a gob holds
// the name of its type.
type VClock map[string]uint64

func (m VClock) copy() VClock {
	r := make(VClock, len(m))
	maps.Copy(r, m)
	return r
}

func (m VClock) compare(o VClock) vclock.Ordering {
	less, more := false, false
	for id, n := range m {
		if other := o[id]; n < other {
			less = true
		} else if n > other {
			more = true
		}
	}
	for id, n := range o {
		if _, ok := m[id]; !ok && n > 0 {
			less = true
		}
	}
	switch {
	case less && more:
		return vclock.Concurrent
	case less:
		return vclock.Before
	case more:
		return vclock.After
	}
	return vclock.Equal
}

func (m VClock) tick(id string) VClock {
	r := m.copy()
	r[id]++
	return r
}

func (m VClock) merge(o VClock) VClock {
	r := m.copy()
	for id, n := range o {
		if r[id] < n {
			r[id] = n
		}
	}
	return r
}

// encode and decode are GoVector's: a gob of the map, with its type, each time.
func (m VClock) encode() []byte {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func decode(b []byte) VClock {
	m := VClock{}
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&m); err != nil {
		panic(err)
	}
	return m
}

// mutexHLC is a hybrid logical clock as CockroachDB keeps it: nanoseconds and a
// counter under a mutex.
type mutexHLC struct {
	mu    sync.Mutex
	wall  int64
	count int32
}

func (h *mutexHLC) now() (int64, int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if wall := time.Now().UnixNano(); wall > h.wall {
		h.wall, h.count = wall, 0
	} else {
		h.count++
	}
	return h.wall, h.count
}
