package hll_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/distkit/distkit/hll"
	"github.com/stretchr/testify/require"
)

// Whatever is accepted encodes to the same bytes again, both ways of decoding
// agree, and memory stays within what the input justifies. Every input is tried
// as it is and under a right checksum.
func FuzzDecode(f *testing.F) {
	for _, k := range kinds() {
		f.Add(must(k.value.MarshalBinary()))
		f.Add(must(k.value.MarshalBinary())[:20])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, image := range [][]byte{data, mend(bytes.Clone(data))} {
			for _, k := range kinds() {
				accepts(t, k, image)
			}
		}
	})
}

// Keys of any kind in two sketches of any precision: what each holds is what its
// twin holds, and merged what the twin of both does.
func FuzzSketch(f *testing.F) {
	f.Add(uint8(0), uint8(3), []byte("0123456789abcdef"))
	f.Add(uint8(1), uint8(0), bytes.Repeat([]byte{0xff, 0, 1, 0x80, 7}, 80))
	f.Fuzz(func(t *testing.T, p, finer uint8, data []byte) {
		coarse := int(p)%8 + hll.MinPrecision
		a, b := must(hll.New(coarse)), must(hll.New(coarse+int(finer)%4))
		wa, wb, both := twin{}, twin{}, twin{}
		for i := 0; len(data) >= 8; data, i = data[8:], i+1 {
			h := binary.LittleEndian.Uint64(data)
			both.add(h)
			if i%3 > 0 {
				a.AddHash(h)
				wa.add(h)
			}
			if i%3 < 2 {
				b.AddHash(h)
				wb.add(h)
			}
		}
		wa.same(t, a)
		wb.same(t, b)
		require.NoError(t, a.Merge(b))
		both.same(t, a)
	})
}

// A string of Redis is refused, or what it says is what its one canonical string
// says, and as many bytes are taken from a stream as it has.
func FuzzRedis(f *testing.F) {
	for _, n := range []int{0, 10, 1000, 100_000} {
		data := redisString(f, n)
		f.Add(data[4], data[16:])
	}
	f.Add(byte(1), bytes.Repeat([]byte{0x7f, 0xff}, 300))
	f.Fuzz(func(t *testing.T, encoding byte, body []byte) {
		data := append([]byte{'H', 'Y', 'L', 'L', encoding, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, body...)
		var r, streamed hll.Redis
		err := r.UnmarshalBinary(data)
		n, err2 := streamed.ReadFrom(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, hll.ErrCorrupt)
			require.True(t, r.IsEmpty())
			require.True(t, err2 != nil || int(n) < len(data))
			return
		}
		require.NoError(t, err2)
		require.Equal(t, len(data), int(n))
		require.True(t, r.Equal(&streamed))
		checkRedis(t, &r)
	})
}

// Keys at any times near the epoch, in two windows that are then merged: each query
// sees what the panes of its time hold.
func FuzzWindow(f *testing.F) {
	f.Add(uint8(6), uint16(70), []byte("0123456789abcdef0123456789abcdef"))
	f.Add(uint8(0), uint16(0), bytes.Repeat([]byte{0xff, 0, 1, 0x80, 7}, 60))
	f.Fuzz(func(t *testing.T, panes uint8, d uint16, data []byte) {
		n := 2 + int(panes)%20
		span := time.Duration(d) + time.Duration(n)
		width := (int64(span) + int64(n) - 2) / int64(n-1)
		var ws [2]*hll.Window
		var twins [2]*windowTwin
		for i := range ws {
			ws[i] = must(hll.NewWindow(4, span, hll.WithPanes(n)))
			twins[i] = &windowTwin{width: width, panes: int64(n), keys: map[int64]map[uint64]bool{}}
		}
		var now time.Time
		for data = data[:min(len(data), 800)]; len(data) >= 4; data = data[4:] {
			now = time.Unix(0, int64(int16(binary.LittleEndian.Uint16(data))))
			h, i := uint64(data[2]), data[3]&1
			ws[i].AddHashAt(now, h)
			twins[i].add(now, h)
		}
		require.NoError(t, ws[0].Merge(ws[1]))
		twins[0].merge(twins[1])
		checkWindow(t, ws[0])
		for _, at := range []time.Time{now, now.Add(span / 2), now.Add(span), time.Unix(0, 1<<15)} {
			want := must(hll.New(4))
			for _, h := range twins[0].at(at) {
				want.AddHash(h)
			}
			if want.Equal(ws[0].SnapshotAt(at)) {
				continue
			}
			// A pane with registers leaves registers, where its keys would be tokens.
			require.NotEmpty(t, ws[0].SnapshotAt(at).Registers())
			require.Empty(t, want.Registers())
		}
	})
}
