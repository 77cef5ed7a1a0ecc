package smt_test

import (
	"encoding/binary"
	"testing"

	"github.com/distkit/distkit/merkle/smt"
)

func BenchmarkMap(b *testing.B) {
	const n = 100_000
	m, key := smt.New(), make([]byte, 8)
	set := func(i uint64) {
		binary.LittleEndian.PutUint64(key, i%n)
		m.Set(key, binary.LittleEndian.AppendUint64(nil, i))
	}
	for i := range uint64(n) {
		set(i)
	}
	root, i := m.Root(), uint64(0)
	b.Run("op=set+root", func(b *testing.B) {
		for b.Loop() {
			i += 77_777
			set(i)
			m.Root()
		}
	})
	b.Run("op=set1000+root", func(b *testing.B) {
		for b.Loop() {
			for range 1000 {
				i += 77_777
				set(i)
			}
			m.Root()
		}
	})
	b.Run("op=prove", func(b *testing.B) {
		m.Root()
		for b.Loop() {
			i += 77_777
			binary.LittleEndian.PutUint64(key, i%(2*n))
			m.Prove(key)
		}
	})
	b.Run("op=verify", func(b *testing.B) {
		key := []byte("absent")
		root = m.Root()
		p := m.Prove(key)
		for b.Loop() {
			if err := p.VerifyAbsent(root, key); err != nil {
				b.Fatal(err)
			}
		}
	})
}
