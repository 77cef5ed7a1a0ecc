//go:build purego

package lru

// Without package unsafe every entry has a box.
func wordwise[K comparable, V any]() bool { return false }

func storeWords[K comparable, V any](to, from *node[K, V]) { to.key, to.value = from.key, from.value }

func loadWords[K comparable, V any](to, from *node[K, V]) { *to = *from }
