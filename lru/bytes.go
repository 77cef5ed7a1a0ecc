package lru

// StringKeyed is a *Cache[string, V] or a *Concurrent[string, V].
type StringKeyed[V any] interface {
	Get(key string) (V, bool)
	getBytes(key []byte) (V, bool)
}

// GetBytes is c.Get(string(key)) without an allocation. A function of WithHasher
// must not keep the key that it gets then.
func GetBytes[V any](c StringKeyed[V], key []byte) (V, bool) { return c.getBytes(key) }

func (c *Cache[K, V]) getBytes(key []byte) (V, bool) { return c.Get(viewed[K](key)) }
