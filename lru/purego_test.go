//go:build purego

package lru_test

const isPurego = true
