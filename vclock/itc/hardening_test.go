package itc_test

import (
	"encoding"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/itc"
	"github.com/stretchr/testify/require"
)

var (
	_ encoding.BinaryAppender    = itc.Stamp{}
	_ encoding.BinaryMarshaler   = itc.Stamp{}
	_ encoding.BinaryUnmarshaler = (*itc.Stamp)(nil)
	_ encoding.TextAppender      = itc.Stamp{}
	_ encoding.TextMarshaler     = itc.Stamp{}
	_ encoding.TextUnmarshaler   = (*itc.Stamp)(nil)
)

// image is the encoding of any bit code, with a sound checksum.
func image(code string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{0}, uint32(xxhash.Sum64String(code)))
	return append(b, code...)
}

// pack turns zeros and ones into bytes; blanks are for the reader.
func pack(t testing.TB, bits string) string {
	bits = strings.ReplaceAll(bits, " ", "")
	bits += strings.Repeat("0", (8-len(bits)%8)%8)
	b := make([]byte, len(bits)/8)
	for i, c := range bits {
		require.Contains(t, "01", string(c))
		b[i/8] |= byte(c-'0') << (7 - i%8)
	}
	return string(b)
}

// The bit code of the paper, by hand.
func TestBitCode(t *testing.T) {
	for bits, want := range map[string]string{
		"000 1000":                            "(0, 0)",
		"001 1000":                            "(1, 0)",
		"001 1001":                            "(1, 1)",
		"001 1 0 11":                          "(1, 3)",
		"001 1 10 000":                        "(1, 4)",
		"001 1 10 111":                        "(1, 11)",
		"001 1 110 0000":                      "(1, 12)",
		"01 001 1000":                         "((0, 1), 0)",
		"10 001 1000":                         "((1, 0), 0)",
		"11 10 001 01 001 1000":               "(((1, 0), (0, 1)), 0)",
		"10 001 0 01 1001":                    "((1, 0), (0, 1, 0))",
		"10 001 0 00 1001":                    "((1, 0), (0, 0, 1))",
		"10 001 0 10 0 00 1001 1010":          "((1, 0), (0, (0, 0, 1), 2))",
		"10 001 0 11 0 0 1 0 10 1001":         "((1, 0), (2, 0, 1))",
		"10 001 0 11 0 1 1 0 10 1001":         "((1, 0), (2, 1, 0))",
		"10 001 0 11 1 1 0 10 0 00 1001 1010": "((1, 0), (2, (0, 0, 1), 2))",
	} {
		data := image(pack(t, bits))
		var s itc.Stamp
		require.NoError(t, s.UnmarshalBinary(data), want)
		require.Equal(t, want, s.String())
		again, err := s.AppendBinary([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, "x"+string(data), string(again), want)
	}
}

func refused(t *testing.T, data []byte, why string) {
	t.Helper()
	before := itc.Seed().Event()
	s := before
	require.ErrorIs(t, s.UnmarshalBinary(data), itc.ErrCorrupt, why)
	require.ErrorIs(t, s.UnmarshalText(base64.RawURLEncoding.AppendEncode(nil, data)), itc.ErrCorrupt, why)
	require.Equal(t, before, s)
}

// Second spellings and codes that mean nothing, with sound checksums.
func TestOneSpelling(t *testing.T) {
	for why, bits := range map[string]string{
		"both halves owned":          "11 001 001 1000",
		"no half owned":              "11 000 000 1000",
		"nothing on the right":       "01 000 1000",
		"nothing on the left":        "10 000 1000",
		"left half is nothing":       "11 000 001 1000",
		"events equal in the halves": "001 0 10 1001 1001",
		"event without news":         "001 0 00 1000",
		"left half has no news":      "001 0 10 1000 1001",
		"right half has no news":     "001 0 10 1001 1000",
		"both have more in common":   "001 0 10 1001 1010",
		"nothing in common, long":    "001 0 11 0 0 1 0 00 1001",
		"number without its one":     "001 0 11 0 0 0 0 10 1001",
		"bits after the end":         "001 1000 1",
		"a byte after the end":       "001 1000 0 00000000",
		"no events":                  "001",
		"half a number":              "001 1 110 0",
		"id cut short":               "11 001 11 1",
		"half an id":                 "11 001",
		"number of 2^63":             "001 1" + strings.Repeat("1", 63),
		"no end of number":           "001 1" + strings.Repeat("1", 500),
		"id without bottom":          strings.Repeat("01", 500),
		"id that branches for ever":  strings.Repeat("11", 500),
		"events without bottom":      "001" + strings.Repeat("000", 500),
		"events to the left":         "001" + strings.Repeat("001", 500),
		"events both ways":           "001" + strings.Repeat("010", 500),
		"65 levels":                  strings.Repeat("10", 65) + "001 1000",
	} {
		refused(t, image(pack(t, bits)), why)
	}
	large, err := simulate(t, rand.New(rand.NewPCG(6, 6)), 600, 64, func([]actor, ...int) {})[0].stamp.MarshalBinary()
	require.NoError(t, err)
	refused(t, image(string(large[5:])+"\x00"), "large, with a byte after the end")
	refused(t, nil, "nothing")
	refused(t, []byte{0, 0, 0, 0, 0}, "header alone")
	refused(t, image(""), "no code")
	sound := image(pack(t, "001 1000"))
	var s itc.Stamp
	require.NoError(t, s.UnmarshalBinary(sound))
	sound[0] = 1
	refused(t, sound, "version 1")
	deep := image(pack(t, strings.Repeat("10", 64)+"001 1000"))
	require.NoError(t, s.UnmarshalBinary(deep), "64 levels")
}

// Numbers that add up beyond the limit, level by level.
func TestCountersAreBounded(t *testing.T) {
	number := func(v uint64) string {
		var b strings.Builder
		size := 2
		for ; v >= 1<<size; size++ {
			v -= 1 << size
			b.WriteByte('1')
		}
		b.WriteByte('0')
		for i := size - 1; i >= 0; i-- {
			b.WriteByte('0' + byte(v>>i&1))
		}
		return b.String()
	}
	var s itc.Stamp
	require.NoError(t, s.UnmarshalBinary(image(pack(t, "001 1"+number(1<<62)))))
	require.Equal(t, "(1, 4611686018427387904)", s.String())
	_, err := s.Event().AppendText([]byte("kept"))
	require.EqualError(t, err, "itc: number of events is 4611686018427387905, want at most 2^62")
	refused(t, image(pack(t, "001 1"+number(1<<62+1))), "2^62+1")
	refused(t, image(pack(t, "001 0 11 0 0 1"+number(1<<62)+"1 001")), "2^62 and one")
	refused(t, image(pack(t, "001 0 11 0 0 1"+number(1<<62-1)+"0 11 0 0 1"+number(2)+"1 001")), "level by level")
}

// The text form is one spelling too, and what JSON holds.
func TestText(t *testing.T) {
	a, _ := itc.Seed().Fork()
	text, err := a.Event().AppendText([]byte("x"))
	require.NoError(t, err)
	var s itc.Stamp
	require.NoError(t, s.UnmarshalText(text[1:]))
	require.Equal(t, a.Event(), s)
	for _, bad := range []string{"", string(text[1:]) + "\n", string(text), string(text[1:]) + "=", strings.Repeat("A", 1<<20)} {
		require.ErrorIs(t, s.UnmarshalText([]byte(bad)), itc.ErrCorrupt, "%.20q", bad)
	}
	require.Equal(t, a.Event(), s)
	js, err := json.Marshal(map[itc.Stamp]itc.Stamp{a: s})
	require.NoError(t, err)
	var back map[itc.Stamp]itc.Stamp
	require.NoError(t, json.Unmarshal(js, &back))
	require.Equal(t, s, back[a])
}

// Version 0 may change, but not by accident.
func TestGolden(t *testing.T) {
	for i, a := range simulate(t, rand.New(rand.NewPCG(7, 7)), 60, 5, func([]actor, ...int) {}) {
		bin, err := a.stamp.MarshalBinary()
		require.NoError(t, err)
		testkit.Golden(t, fmt.Sprintf("testdata/v0/stamp%d.bin", i), bin)
		testkit.Golden(t, fmt.Sprintf("testdata/v0/stamp%d.txt", i), []byte(a.stamp.String()+"\n"))
	}
}

// Every bit flip and truncation of a stamp is seen.
func TestDamageIsSeen(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, a := range simulate(t, rng, 300, 6, func([]actor, ...int) {}) {
		bin, err := a.stamp.MarshalBinary()
		require.NoError(t, err)
		for i := range bin {
			refused(t, bin[:i], "cut")
			for bit := range 8 {
				bad := append([]byte(nil), bin...)
				bad[i] ^= 1 << bit
				refused(t, bad, "flip")
			}
		}
		refused(t, append(bin, 0), "trailing byte")
	}
}

// The largest stamp that can be decoded costs what the document says, and one
// byte more nothing.
func TestDecodingIsBounded(t *testing.T) {
	var s itc.Stamp
	huge := image(strings.Repeat("\xff", 1<<20))
	require.Less(t, testkit.AllocatedBytes(func() {
		for range 100 {
			require.ErrorIs(t, s.UnmarshalBinary(huge), itc.ErrCorrupt)
		}
	}), uint64(1<<20))
	// A comb of ids that all owned halves branch off: as many parts as bits allow.
	comb := image(strings.Repeat(pack(t, "11 001 11 001 11 001 11 001 1111"), 3000))
	require.Less(t, testkit.AllocatedBytes(func() { require.Error(t, s.UnmarshalBinary(comb)) }), uint64(4<<20))
}

// A stamp that has grown too large says so instead of becoming unreadable.
func TestEncodingLimit(t *testing.T) {
	stamps := []itc.Stamp{itc.Seed()}
	for len(stamps) < 1<<16 {
		var next []itc.Stamp
		for _, s := range stamps {
			a, b := s.Fork()
			next = append(next, a, b)
		}
		stamps = next
	}
	// Every other one of 65536 actors records events, and all are heard of.
	for step := 1; step < len(stamps); step *= 2 {
		for i := 0; i < len(stamps); i += 2 * step {
			a, b := stamps[i], stamps[i+step]
			if step == 1 {
				a = a.Event()
				for range i / 2 * 37 % 127 {
					b = b.Event()
				}
			}
			s, err := a.Peek().Join(b.Peek())
			require.NoError(t, err)
			stamps[i] = s
		}
	}
	b, err := stamps[0].AppendBinary([]byte("kept"))
	require.ErrorContains(t, err, "want at most 65536")
	require.Equal(t, "kept", string(b))
}

func FuzzUnmarshalBinary(f *testing.F) {
	for _, bits := range []string{"001 1000", "10 001 0 11 1 1 0 10 0 00 1001 1010", "11 10 001 01 001 0 00 1001", "001 1 110 0000"} {
		f.Add([]byte(pack(f, bits)))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		data := image(string(code))
		var s itc.Stamp
		if err := s.UnmarshalBinary(data); err != nil {
			require.ErrorIs(t, err, itc.ErrCorrupt)
			require.Equal(t, itc.Stamp{}, s)
			return
		}
		again, err := s.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, data, again)
		// What was accepted behaves like any stamp.
		a, b := s.Fork()
		if a.Anonymous() {
			return
		}
		e := a.Event()
		require.Equal(t, vclock.After, e.Compare(s))
		back, err := e.Join(b)
		require.NoError(t, err)
		require.Equal(t, vclock.After, back.Compare(s))
		require.Equal(t, vclock.Equal, back.Compare(e))
		_, err = s.Join(a)
		require.ErrorIs(t, err, itc.ErrOverlap)
	})
}
