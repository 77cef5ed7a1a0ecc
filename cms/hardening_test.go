package cms_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// mend writes the right checksum under a changed image.
func mend(image []byte) []byte { return codec.AppendSum(image[:len(image)-8], 0) }

// refuses demands that image is refused both ways, as ErrCorrupt, and that the
// receiver keeps what it had. It returns the error.
func refuses(t *testing.T, k kind, image []byte, what string) error {
	t.Helper()
	got := k.zero()
	require.NoError(t, got.UnmarshalBinary(must(k.value.MarshalBinary())))
	err := got.UnmarshalBinary(image)
	require.ErrorIs(t, err, cms.ErrCorrupt, what)
	_, err2 := got.ReadFrom(bytes.NewReader(image))
	require.ErrorIs(t, err2, cms.ErrCorrupt, what)
	require.True(t, k.equal(k.value, got), what)
	return err
}

func TestDamagedImagesAreRefused(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			for n := range image {
				_ = refuses(t, k, image[:n], "cut short")
				_, err := k.zero().ReadFrom(bytes.NewReader(image[:n]))
				end := io.ErrUnexpectedEOF
				if n == 0 {
					end = io.EOF
				}
				require.ErrorIs(t, err, end, "cut to %d", n)
			}
			for bit := 0; bit < 8*len(image); bit += 7 { // each bit of a byte somewhere
				image[bit/8] ^= 1 << (bit % 8)
				_ = refuses(t, k, image, "a bit")
				image[bit/8] ^= 1 << (bit % 8)
			}
			got := k.zero()
			require.ErrorIs(t, got.UnmarshalBinary(append(bytes.Clone(image), 0)), cms.ErrCorrupt)
			require.ErrorIs(t, got.UnmarshalText([]byte("no base64!")), cms.ErrCorrupt)
			require.ErrorIs(t, got.UnmarshalText(nil), cms.ErrCorrupt)
			for _, other := range kinds() {
				if foreign := must(other.value.MarshalBinary()); foreign[2] != image[2] {
					require.ErrorIs(t, got.UnmarshalBinary(foreign), cms.ErrCorrupt, other.name)
				}
			}
		})
	}
}

// Headers that promise anything, under a checksum that is right, allocate no more
// than their bytes justify, and what is accepted is canonical.
func TestBombs(t *testing.T) {
	extremes := []uint64{
		0, 1, 16, 17, 1 << 24, 1<<32 - 1, 1 << 32, 1 << 40, 1 << 58, 1 << 61, 1 << 63, math.MaxInt64, math.MaxUint64,
		math.Float64bits(math.Inf(1)), math.Float64bits(math.NaN()), math.Float64bits(math.MaxFloat64), 1 << 62,
	}
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			whole := must(k.value.MarshalBinary())
			for at := 0; at+8 <= len(whole)-8; at += 4 {
				for _, v := range extremes {
					image := bytes.Clone(whole)
					binary.LittleEndian.PutUint64(image[at:], v)
					mend(image)
					got, streamed := k.zero(), k.zero()
					var err, err2 error
					used := testkit.AllocatedBytes(func() {
						err = got.UnmarshalBinary(image)
						_, err2 = streamed.ReadFrom(bytes.NewReader(image))
					})
					require.LessOrEqual(t, used, uint64(8*len(image)+256<<10))
					require.Equal(t, err == nil, err2 == nil, "%v, %v", err, err2)
					if err == nil && image[5] == 0 { // flags that a reader may ignore are not written again
						require.Equal(t, image, must(got.MarshalBinary()))
					}
				}
			}
		})
	}
}

// damage is a change of an image whose checksum is right, and how the error ends.
type damage struct {
	change func(b []byte) []byte
	why    string
}

// at returns the change of the word at an offset.
func at(offset int, v uint64) func(b []byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[offset:], v); return b }
}

// longer returns an image with bytes more in its payload, whose length is at an
// offset.
func longer(offset int, more ...byte) func(b []byte) []byte {
	return func(b []byte) []byte {
		binary.LittleEndian.PutUint64(b[offset:], word(b, offset)+uint64(len(more)))
		return append(append(b[:len(b)-8:len(b)-8], more...), make([]byte, 8)...)
	}
}

func both(changes ...func(b []byte) []byte) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, c := range changes {
			b = c(b)
		}
		return b
	}
}

var f64 = math.Float64bits

// What each decoder refuses, and what it says.
var damages = map[string][]damage{
	"sketch": {
		{func(b []byte) []byte { b[3] = 0; return b }, "version is 0, want 1"},
		{func(b []byte) []byte { b[3] = 2; return b }, "version 2 is newer than 1"},
		{func(b []byte) []byte { b[4] = 4; return b }, "flags are 0x04, want none but 0x03"},
		{func(b []byte) []byte { b[7] = 3; return b }, "payload of 100 bytes, header says 84"},
		{func(b []byte) []byte { b[48] = 1; return b }, "padding holds 0x01, want zeros"},
		{at(8, 0), "3 rows of 0 counters, want 1 to 16 of 1 to 2^32"},
		{at(8, 1<<32+1), "3 rows of 4294967297 counters, want 1 to 16 of 1 to 2^32"},
		{at(16, 0), "0 rows of 7 counters, want 1 to 16 of 1 to 2^32"},
		{at(16, 17), "17 rows of 7 counters, want 1 to 16 of 1 to 2^32"},
		{at(8, 8), "payload of 84 bytes, want 96 for 3 rows of 8 counters"},
		{at(8, 1<<32), "payload of 84 bytes, want 51539607552 for 3 rows of 4294967296 counters"},
		{at(24, 3), "want at most the total, 3"},
		{longer(40, 0), "payload of 85 bytes, want 84 for 3 rows of 7 counters"},
	},
	"topk": {
		{func(b []byte) []byte { b[3] = 1; return b }, "version 1 is newer than 0"},
		{func(b []byte) []byte { b[4] = 2; return b }, "flags are 0x02, want none but 0x01"},
		{at(8, 0), "k is 0, want 1 to 2^24"},
		{at(8, 1<<24+1), "k is 16777217, want 1 to 2^24"},
		{at(16, 0), "0 counters a row, want 1 to 2^32 in at most 2^40 bytes"},
		{at(16, 1<<32+1), "4294967297 counters a row, want 1 to 2^32 in at most 2^40 bytes"},
		{at(16, 1<<32), "is too short for 17179869184 counters and 4 items"},
		{at(8, 3), "4 items of 3, and others with up to 4"},
		{at(8, 5), "4 items of 5, and others with up to 4"},
		{at(24, 3), "3 items of 4, and others with up to 4"},
		{at(40, 1), "total is 1"},
		{at(32, 0), "counters are set, though no key is without a slot"},
		{longer(56, 0), "1 bytes after the items"},
		{longer(56, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), "12 bytes after the items"},
	},
	"topk-wide": {
		{func(b []byte) []byte { clear(b[64 : 64+8*12]); return b }, "counters have 64 bits and need 32"},
	},
	"trending": {
		{func(b []byte) []byte { b[4] = 1; return b }, "flags are 0x01, want none but 0x00"},
		{at(8, 0), "k is 0, want 1 to 2^24"},
		{at(16, 1<<32), "is too short for 17179869184 counters and 4 items"},
		{at(16, 1<<35), "34359738368 counters a row, want 1 to 2^32 in at most 2^40 bytes"},
		{at(32, 0), "half-life is 0 ns, want 1 to 2^63-1"},
		{at(32, 1<<63), "half-life is 9223372036854775808 ns, want 1 to 2^63-1"},
		{at(40, 0), "newest addition is 8192 half-lives after the landmark, want 0 to 500"},
		{at(40, 1<<62), "newest addition is -8192 half-lives after the landmark, want 0 to 500"},
		{at(48, 1<<63), "newest addition is of -9223372036854775808 ns, want at least -4611686018427387904"},
		{at(56, f64(math.NaN())), "sums are NaN and"},
		{at(56, f64(math.Copysign(0, -1))), "sums are -0 and"},
		{at(64, f64(math.Inf(1))), "+Inf, want 0 to 2^600"},
		{at(64, f64(0x1p601)), "want 0 to 2^600"},
		{at(64, 0), "all with 0"},
		{at(8, 5), "4 items of 5, others with up to"},
		{at(88, f64(-1)), "counter 0 is -1, others have up to"},
		{at(56, 0), "others have up to 0"},
		{longer(80, 0), "1 bytes after the items"},
	},
	"trending-empty": {
		{at(40, 1), "has times and no items"},
		{at(48, 1), "has times and no items"},
		{at(88, f64(1)), "counter 0 is 1, others have up to 0"},
	},
	"window": {
		{func(b []byte) []byte { b[4] = 2; return b }, "flags are 0x02, want none but 0x01"},
		{at(8, 0), "2 rows of 0 counters, want 1 to 16 of 1 to 2^32"},
		{at(16, 17), "17 rows of 6 counters, want 1 to 16 of 1 to 2^32"},
		{at(24, 1), "1 panes, want 2 to 64"},
		{at(24, 65), "65 panes, want 2 to 64"},
		{at(32, 0), "window is 0 ns, want 1 to 2^63-1"},
		{at(32, 1<<63), "window is 9223372036854775808 ns, want 1 to 2^63-1"},
		{at(24, 4), "payload of 168 bytes, want 224 for 4 panes of 2 rows of 6 counters"},
		{at(40, 1<<62), "newest pane is 4611686018427387904, want -2562048 to 5124095"},
		{at(64, 1), "want at most the total, 1"},
	},
	"window-empty": {
		{at(40, 1), "newest pane is 1, and nothing was counted"},
		{at(88, 1), "a row holds 1 in slot 0, want at most the total, 0"},
		{at(72, 1), "newest pane holds nothing"},
	},
}

func TestDecodersSayWhatIsWrong(t *testing.T) {
	for _, k := range kinds() {
		for _, d := range damages[k.name] {
			image := mend(d.change(must(k.value.MarshalBinary())))
			require.ErrorContains(t, refuses(t, k, image, d.why), d.why, k.name)
		}
	}
}

// Items of a TopK and a Trending one by one, in images with nothing else.
func TestDecodersCheckItems(t *testing.T) {
	top := func(items ...[]byte) []byte {
		b := must(must(cms.NewTopK(3, cms.WithCounters(1))).MarshalBinary())
		return both(at(24, uint64(len(items))), at(40, 100), longer(56, bytes.Join(items, nil)...))(b)
	}
	trend := func(items ...[]byte) []byte {
		b := must(must(cms.NewTrending(3, 1, cms.WithCounters(1))).MarshalBinary())
		return both(at(24, uint64(len(items))), at(64, f64(100)), longer(80, bytes.Join(items, nil)...))(b)
	}
	item := func(hash byte, rest ...byte) []byte { return append([]byte{hash, 0, 0, 0, 0, 0, 0, 0}, rest...) }
	float := func(hash byte, count, err float64, key ...byte) []byte {
		b := binary.LittleEndian.AppendUint64(item(hash), f64(count))
		return append(binary.LittleEndian.AppendUint64(b, f64(err)), key...)
	}
	topK, trending := topKind("", must(cms.NewTopK(1))), trendKind("", must(cms.NewTrending(1, 1)))
	require.NoError(t, new(cms.TopK).UnmarshalBinary(mend(top(item(1, 9, 0, 1, 'a'), item(2, 9, 8, 0)))))
	require.NoError(t, new(cms.Trending).UnmarshalBinary(mend(trend(float(1, 9, 0, 1, 'a'), float(2, 9, 9, 0)))))
	for _, c := range []struct {
		k     kind
		image []byte
		why   string
	}{
		{topK, top(item(1, 5, 0, 0), item(1, 4, 0, 0)), "item 1 is there twice"},
		{topK, top(item(1, 5, 0, 0), item(2, 6, 0, 0)), "item 1 is out of order"},
		{topK, top(item(2, 5, 0, 0), item(1, 5, 0, 0)), "item 1 is out of order"},
		{topK, top(item(1, 5, 5, 0)), "item 0 counts 5 with an error of 5, total is 100"},
		{topK, top(item(1, 101, 0, 0)), "item 0 counts 101 with an error of 0, total is 100"},
		{topK, top(item(1, 60, 0, 0), item(2, 60, 0, 0)), "item 1 counts 60 with an error of 0, total is 100"},
		{topK, top(item(1, 0x85, 0, 0, 0)), "item 0 has a number that is cut short or too long"},
		{topK, top(item(1, bytes.Repeat([]byte{0xff}, 12)...)), "item 0 has a number that is cut short or too long"},
		{topK, top(item(1, 5, 0, 0x80)), "item 0 has a length that is cut short or too long"},
		{topK, top(item(1, 5, 0, 4, 'a', 'b', 'c')), "item 0 has a key that is cut short"},
		{topK, top(item(1, 5, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)), "item 0 has a key that is cut short"},
		{topK, top(item(1, 5, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), nil), "item 1 is cut short"},
		{trending, trend(float(1, 5, 0, 0), float(1, 4, 0, 0)), "item 1 is there twice"},
		{trending, trend(float(1, 5, 0, 0), float(2, 6, 0, 0)), "item 1 is out of order"},
		{trending, trend(float(1, 0, 0, 0)), "item 0 has a sum or an error that cannot be"},
		{trending, trend(float(1, 5, 6, 0)), "item 0 has a sum or an error that cannot be"},
		{trending, trend(float(1, -5, 0, 0)), "item 0 has a sum or an error that cannot be"},
		{trending, trend(float(1, 5, math.NaN(), 0)), "item 0 has a sum or an error that cannot be"},
		{trending, trend(float(1, math.Inf(1), 0, 0)), "item 0 has a sum or an error that cannot be"},
		{trending, trend(float(1, 5, 0, 3, 'a', 'b')), "item 0 has a key that is cut short"},
		{trending, trend(float(1, 5, 0, 30, 'a'), nil), "is too short for 4 counters and 2 items"},
		{trending, trend(float(1, 5, 0, append([]byte{27}, make([]byte, 27)...)...), nil), "item 1 is cut short"},
	} {
		require.ErrorContains(t, refuses(t, c.k, mend(c.image), c.why), c.why)
	}
}
