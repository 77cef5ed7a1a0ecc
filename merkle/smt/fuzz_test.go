package smt_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/smt"
	"github.com/stretchr/testify/require"
)

// Whatever is accepted encodes to the same bytes again, and says of a key only
// what the map says.
func FuzzProof(f *testing.F) {
	m := smt.New()
	for i := range 40 {
		m.Set(fmt.Append(nil, i), []byte("v"))
	}
	root := m.Root()
	for i := range 80 {
		f.Add(must(m.Prove(fmt.Append(nil, i)).MarshalBinary()), byte(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, i byte) {
		var p smt.Proof
		if err := p.UnmarshalBinary(data); err != nil {
			require.ErrorIs(t, err, merkle.ErrCorrupt)
			return
		}
		require.Equal(t, data, must(p.MarshalBinary()))
		key := fmt.Append(nil, i)
		switch verdict(root, key, p) {
		case "both":
			t.Fatal("present and absent")
		case "present":
			require.Less(t, i, byte(40))
		case "absent":
			require.GreaterOrEqual(t, i, byte(40))
		}
	})
}

// Any sequence of changes, hashings and snapshots.
func FuzzMap(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0x81, 0x42, 0xc0, 5, 6, 0x81})
	f.Fuzz(func(t *testing.T, ops []byte) {
		m, w := smt.New(), twin{}
		var old *smt.Map
		var oldRoot merkle.Hash
		for _, op := range ops[:min(len(ops), 200)] {
			key := fmt.Sprint(op & 0x1f)
			switch op >> 6 {
			case 0, 1:
				w[key] = fmt.Sprint(op >> 5)
				m.Set([]byte(key), []byte(w[key]))
			case 2:
				delete(w, key)
				m.Delete([]byte(key))
			case 3:
				if op&1 == 0 {
					m.Root()
				}
				old, oldRoot = m.Snapshot(), w.root()
			}
		}
		check(t, w, m)
		if old != nil {
			require.Equal(t, oldRoot, old.Root())
		}
	})
}
