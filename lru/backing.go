package lru

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Store is the slower system behind a Backed cache. Its methods are called by
// several goroutines at once, but those that change a key one after the other.
type Store[K comparable, V any] interface {
	// Load returns the value of key, or an error that wraps ErrNotFound if there is
	// none.
	Load(ctx context.Context, key K) (V, error)
	// Save makes value that of key. After an error it may have done so or not. A
	// write-behind cache calls it again with the same value, or with a newer one.
	Save(ctx context.Context, key K, value V) error
	// Delete takes key out. It is no error if there is none.
	Delete(ctx context.Context, key K) error
}

// BatchStore is a Store that loads and saves many keys at once. A Backed cache
// uses that where its Store has it.
type BatchStore[K comparable, V any] interface {
	Store[K, V]
	// SaveAll saves all of m. After an error each key may be saved or not. It may
	// keep m.
	SaveAll(ctx context.Context, m map[K]V) error
	// LoadAll returns the values of keys. Those that are absent are left out.
	LoadAll(ctx context.Context, keys []K) (map[K]V, error)
}

// ErrNotFound says that there is no value of a key. Stores return it, and Backed
// caches, wrapped or not.
var ErrNotFound = errors.New("lru: not found")

// ErrFull says that a write-behind cache has as many unsaved keys as it may.
var ErrFull = errors.New("lru: too many unsaved keys")

// WriteMode says how a Backed cache writes. See the package documentation on
// which suits what.
type WriteMode uint8

const (
	// WriteThrough writes to the Store and then to the cache. What a Set returned
	// from without an error is saved, and the next Get finds it in the cache.
	WriteThrough WriteMode = iota
	// WriteAround writes to the Store and drops the cached value, so that keys which
	// are written and not read take no room.
	WriteAround
	// WriteBehind writes to the cache at once and to the Store later, once for all
	// the writes of a key in between. A crash loses what is not saved yet: at most
	// DirtyLimit keys, and of them those written within one FlushInterval and the
	// time that a save takes, older ones only while the Store fails. A save that fails
	// is tried again after 100 ms, and then after twice as long each time, up to
	// 51.2 s, until it succeeds or Close gives up.
	WriteBehind
)

// String returns the name of m, as in "WriteThrough".
func (m WriteMode) String() string {
	switch m {
	case WriteThrough:
		return "WriteThrough"
	case WriteAround:
		return "WriteAround"
	case WriteBehind:
		return "WriteBehind"
	}
	return fmt.Sprintf("WriteMode(%d)", uint8(m))
}

// Backing says how a Backed cache treats its Store. The zero value reads through,
// writes through and does no more.
type Backing[K comparable] struct {
	// Writes is how Set and Delete reach the Store.
	Writes WriteMode

	// FlushInterval (WriteBehind) is how long a key waits to be saved, while more
	// writes of it, and others, come to be saved with it. 0 is 1 s.
	FlushInterval time.Duration
	// DirtyLimit (WriteBehind) is the most keys that are unsaved at a time. Set and
	// Delete wait where there are as many, and saving begins at half as many. 0 is
	// the capacity, and not allowed where that is a weight.
	DirtyLimit int

	// RefreshAhead is the age from which on a hit loads the value anew, in the
	// background; the hit returns what is cached. After a load that fails there is
	// none for 100 ms, and for twice as long each time, up to 51.2 s. 0 is never.
	RefreshAhead time.Duration
	// EarlyExpiry makes a hit load the value anew, in the background, with a
	// probability that grows to 1 as the end of the lifetime comes near, the earlier
	// the longer loads take: if now - load time * EarlyExpiry * ln(random) reaches
	// the end (XFetch: Vattani, Chierichetti and Lowenstein, VLDB 2015). 1 is right
	// for most; more is earlier. 0 is never. It needs WithTTL or WithExpiry.
	EarlyExpiry float64

	// StaleIfError is how long after the end of its lifetime a value is still
	// returned where loading it fails, except by ErrNotFound, or takes longer than the
	// caller waits. After a load that failed it is returned at once for a while, which
	// is as for RefreshAhead. It needs WithTTL or WithExpiry. 0 returns the error.
	StaleIfError time.Duration
	// NegativeTTL is how long it is remembered that the Store has no value of a key.
	// Such memories are entries of the cache, and as heavy as the zero value. 0 is
	// not at all.
	NegativeTTL time.Duration

	// OnError is told of errors that no caller sees: of saves behind, of loads in
	// the background, and of those that StaleIfError covers. It is called with no
	// lock held, by any number of goroutines at once. Saves behind wait for it, and so
	// does Close: it must not call Close or Flush, nor wait for room in Set or Delete.
	OnError func(key K, err error)
}

const usualFlushInterval = time.Second

// check says what is wrong with b for a cache with that configuration, and fills
// in what is 0.
func (b *Backing[K]) check(capacity int, o *config) error {
	if b.Writes > WriteBehind {
		return fmt.Errorf("lru: Backing.Writes is %v, want WriteThrough, WriteAround or WriteBehind", b.Writes)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"FlushInterval", b.FlushInterval},
		{"DirtyLimit", time.Duration(b.DirtyLimit)},
		{"RefreshAhead", b.RefreshAhead},
		{"StaleIfError", b.StaleIfError},
		{"NegativeTTL", b.NegativeTTL},
	} {
		if d.value < 0 {
			value := any(d.value)
			if d.field == "DirtyLimit" {
				value = b.DirtyLimit
			}
			return fmt.Errorf("lru: Backing.%s is %v, want at least 0", d.field, value)
		}
	}
	if !(b.EarlyExpiry >= 0) || math.IsInf(b.EarlyExpiry, 1) {
		return fmt.Errorf("lru: Backing.EarlyExpiry is %v, want 0 or a positive number", b.EarlyExpiry)
	}
	if err := b.checkUse(o); err != nil {
		return err
	}
	if b.FlushInterval == 0 {
		b.FlushInterval = usualFlushInterval
	}
	if b.DirtyLimit == 0 {
		b.DirtyLimit = capacity
	}
	return nil
}

// checkUse names a field that has no use with the others and the options.
func (b *Backing[K]) checkUse(o *config) error {
	if b.Writes != WriteBehind {
		switch {
		case b.FlushInterval != 0:
			return fmt.Errorf("lru: Backing.FlushInterval is %v, want 0 where Writes is %v", b.FlushInterval, b.Writes)
		case b.DirtyLimit != 0:
			return fmt.Errorf("lru: Backing.DirtyLimit is %d, want 0 where Writes is %v", b.DirtyLimit, b.Writes)
		}
	} else if b.DirtyLimit == 0 && o.weigher != nil {
		return errors.New("lru: Backing.DirtyLimit is 0, want at least 1 with WithWeigher, where the capacity is no number of keys")
	}
	endless := o.ttl == 0 && o.expiry == nil
	for _, f := range []struct {
		name  string
		value any
		set   bool
	}{
		{"EarlyExpiry", b.EarlyExpiry, b.EarlyExpiry != 0},
		{"StaleIfError", b.StaleIfError, b.StaleIfError != 0},
	} {
		switch {
		case !f.set:
		case endless:
			return fmt.Errorf("lru: Backing.%s is %v, want 0 without WithTTL and WithExpiry", f.name, f.value)
		case o.sliding:
			return fmt.Errorf("lru: Backing.%s is %v, want 0 with WithSliding, where what is used does not end", f.name, f.value)
		}
	}
	return nil
}
