package lru_test

import (
	"math"
	"testing"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
)

func TestBackingFields(t *testing.T) {
	ttl := lru.WithTTL(time.Minute)
	for _, c := range []struct {
		b    lru.Backing[int]
		opts []lru.Option
		want string
	}{
		{lru.Backing[int]{Writes: 3}, nil, "lru: Backing.Writes is WriteMode(3), want WriteThrough, WriteAround or WriteBehind"},
		{lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: -1}, nil, "lru: Backing.FlushInterval is -1ns, want at least 0"},
		{lru.Backing[int]{Writes: lru.WriteBehind, DirtyLimit: -1}, nil, "lru: Backing.DirtyLimit is -1, want at least 0"},
		{lru.Backing[int]{RefreshAhead: -1}, nil, "lru: Backing.RefreshAhead is -1ns, want at least 0"},
		{lru.Backing[int]{StaleIfError: -1}, nil, "lru: Backing.StaleIfError is -1ns, want at least 0"},
		{lru.Backing[int]{NegativeTTL: -1}, nil, "lru: Backing.NegativeTTL is -1ns, want at least 0"},
		{lru.Backing[int]{EarlyExpiry: -1}, nil, "lru: Backing.EarlyExpiry is -1, want 0 or a positive number"},
		{lru.Backing[int]{EarlyExpiry: math.NaN()}, nil, "lru: Backing.EarlyExpiry is NaN, want 0 or a positive number"},
		{lru.Backing[int]{EarlyExpiry: math.Inf(1)}, nil, "lru: Backing.EarlyExpiry is +Inf, want 0 or a positive number"},
		{lru.Backing[int]{FlushInterval: 1}, nil, "lru: Backing.FlushInterval is 1ns, want 0 where Writes is WriteThrough"},
		{lru.Backing[int]{Writes: lru.WriteAround, DirtyLimit: 1}, nil, "lru: Backing.DirtyLimit is 1, want 0 where Writes is WriteAround"},
		{
			lru.Backing[int]{Writes: lru.WriteBehind},
			[]lru.Option{lru.WithWeigher(func(int, int) uint32 { return 1 })},
			"lru: Backing.DirtyLimit is 0, want at least 1 with WithWeigher, where the capacity is no number of keys",
		},
		{lru.Backing[int]{EarlyExpiry: 1}, nil, "lru: Backing.EarlyExpiry is 1, want 0 without WithTTL and WithExpiry"},
		{lru.Backing[int]{StaleIfError: 1}, nil, "lru: Backing.StaleIfError is 1ns, want 0 without WithTTL and WithExpiry"},
		{lru.Backing[int]{EarlyExpiry: 0.5}, []lru.Option{ttl, lru.WithSliding()}, "lru: Backing.EarlyExpiry is 0.5, want 0 with WithSliding, where what is used does not end"},
		{lru.Backing[int]{StaleIfError: 1}, []lru.Option{ttl, lru.WithSliding()}, "lru: Backing.StaleIfError is 1ns, want 0 with WithSliding, where what is used does not end"},
		{lru.Backing[int]{}, []lru.Option{nil}, "lru: option 0 is nil"},
		{lru.Backing[int]{}, []lru.Option{lru.WithTTL(-1)}, "lru: lifetime of WithTTL is -1ns, want at least 0"},
		{lru.Backing[int]{}, []lru.Option{lru.WithWeigher(func(string, int) uint32 { return 1 })}, "lru: WithWeigher has a func(string, int) uint32, want a func(int, int) uint32"},
		{lru.Backing[int]{}, []lru.Option{lru.WithOnEvict(func(int, string, lru.Reason) {})}, "lru: WithOnEvict has a func(int, string, lru.Reason), want a func(int, int, lru.Reason)"},
		{lru.Backing[int]{}, []lru.Option{lru.WithExpiry(func(int, string) time.Duration { return 1 })}, "lru: WithExpiry has a func(int, string) time.Duration, want a func(int, int) time.Duration"},
		{lru.Backing[int]{}, []lru.Option{lru.WithHasher(func(string) uint64 { return 1 })}, "lru: WithHasher has a func(string) uint64, want a func(int) uint64"},
	} {
		backed, err := lru.NewBacked(10, newShelf(t, nil), c.b, c.opts...)
		assert.EqualError(t, err, c.want)
		assert.Nil(t, backed)
	}
	_, err := lru.NewBacked(0, newShelf(t, nil), lru.Backing[int]{})
	assert.EqualError(t, err, "lru: capacity is 0, want at least 1")
	_, err = lru.NewBacked[int, int](1, nil, lru.Backing[int]{})
	assert.EqualError(t, err, "lru: Store is nil")
}

func TestWriteModeNames(t *testing.T) {
	for m, want := range map[lru.WriteMode]string{lru.WriteThrough: "WriteThrough", lru.WriteAround: "WriteAround", lru.WriteBehind: "WriteBehind", 7: "WriteMode(7)"} {
		assert.Equal(t, want, m.String())
	}
}
