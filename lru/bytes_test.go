package lru_test

import (
	"testing"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
)

func TestGetBytes(t *testing.T) {
	for name, opts := range map[string][]lru.Option{
		"default": nil,
		"hasher":  {lru.WithHasher(func(k string) uint64 { return uint64(len(k)) })},
		"timed":   {lru.WithTTL(time.Hour)},
	} {
		c := must(lru.New[string, int](10, append(opts, lru.WithStats())...))
		c.Set("", 1)
		c.Set("key", 2)
		for key, want := range map[string]int{"": 1, "key": 2} {
			v, ok := lru.GetBytes(c, []byte(key))
			assert.True(t, ok && v == want, name)
		}
		v, ok := lru.GetBytes(c, nil)
		assert.True(t, ok && v == 1)
		_, ok = lru.GetBytes(c, []byte("other"))
		assert.False(t, ok)
		lru.GetBytes(c, []byte("key")) // an access
		assert.Equal(t, []string{"", "key"}, keysOf(c.All()))
		assert.Equal(t, uint64(4), c.Stats().Hits)
		check(t, c)
	}
	var zero lru.Cache[string, int]
	_, ok := lru.GetBytes(&zero, []byte("key"))
	assert.False(t, ok)
}
