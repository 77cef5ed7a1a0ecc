package vclock_test

import (
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

var (
	_ encoding.BinaryAppender    = vclock.Clock{}
	_ encoding.BinaryMarshaler   = vclock.Clock{}
	_ encoding.BinaryUnmarshaler = (*vclock.Clock)(nil)
	_ encoding.TextAppender      = vclock.Clock{}
	_ encoding.TextMarshaler     = vclock.Clock{}
	_ encoding.TextUnmarshaler   = (*vclock.Clock)(nil)
	_ json.Marshaler             = vclock.Clock{}
	_ json.Unmarshaler           = (*vclock.Clock)(nil)
)

// image is the binary form of any entries, sound or not, with a sound checksum.
func image(entries string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{1}, uint32(xxhash.Sum64String(entries)))
	return append(b, entries...)
}

func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 5000 {
		c := randomTwin(rng).clock(t)
		bin, err := c.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, image(c.Enc()), bin)
		var d vclock.Clock
		require.NoError(t, d.UnmarshalBinary(bin))
		require.Equal(t, c, d)

		text, err := c.MarshalText()
		require.NoError(t, err)
		require.NotContains(t, string(text), "=")
		var e vclock.Clock
		require.NoError(t, e.UnmarshalText(text))
		require.Equal(t, c, e)

		js, err := c.MarshalJSON()
		if c.Get("z\xff") > 0 {
			require.ErrorContains(t, err, `"z\xff" is not UTF-8`)
			continue
		}
		require.NoError(t, err)
		var f, g vclock.Clock
		require.NoError(t, json.Unmarshal(js, &f))
		require.Equal(t, c, f)
		require.NoError(t, g.UnmarshalJSON([]byte(c.String())))
		require.Equal(t, c, g)
		var m map[string]uint64
		require.NoError(t, json.Unmarshal(js, &m))
		require.Equal(t, c, twin(m).clock(t))
	}
}

func TestAppendKeepsPrefix(t *testing.T) {
	c := twin{"a": 1}.clock(t)
	b, err := c.AppendBinary([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, "x"+string(image("\x01a\x01")), string(b))
	b, err = c.AppendText([]byte("x"))
	require.NoError(t, err)
	text, _ := c.MarshalText()
	require.Equal(t, "x"+string(text), string(b))
}

// The frozen images are read for ever, and written in the same bytes.
func TestFrozenImages(t *testing.T) {
	for name, c := range map[string]vclock.Clock{
		"empty":    {},
		"two":      twin{"a": 1, "b": 2}.clock(t),
		"varints":  twin{"node-000": 127, "node-001": 128, "node-002": 1 << 62, "": 1, strings.Repeat("k", 200): 16384}.clock(t),
		"awkward":  twin{"z\x00": 3, "z\xff": 4, "é": 5, `q"\`: 6, "a/b c": 7}.clock(t),
		"hundreds": hundreds(t),
	} {
		t.Run(name, func(t *testing.T) {
			bin, err := c.MarshalBinary()
			require.NoError(t, err)
			path := "testdata/v1/" + name
			testkit.Golden(t, path+".bin", bin)
			frozen, err := os.ReadFile(path + ".bin")
			require.NoError(t, err)
			var d vclock.Clock
			require.NoError(t, d.UnmarshalBinary(frozen))
			require.Equal(t, c, d)
			text, err := c.MarshalText()
			require.NoError(t, err)
			testkit.Golden(t, path+".txt", text)
			if js, err := c.MarshalJSON(); err == nil {
				testkit.Golden(t, path+".json", js)
			}
		})
	}
}

func hundreds(t *testing.T) vclock.Clock {
	w := twin{}
	for i := range 300 {
		w[fmt.Sprintf("node-%03d", i)] = uint64(i*i + 1)
	}
	return w.clock(t)
}

// The document's example.
func TestFormatExample(t *testing.T) {
	bin, err := twin{"a": 1, "b": 2}.clock(t).MarshalBinary()
	require.NoError(t, err)
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	spaced := strings.TrimSpace(fmt.Sprintf("% x", bin))
	require.Contains(t, string(doc), `{"a":1, "b":2} is `+spaced)
	require.Equal(t, hex.EncodeToString(image("\x01a\x01\x01b\x02")), hex.EncodeToString(bin))
}

func TestJSONForms(t *testing.T) {
	for _, c := range []struct {
		in   string
		want twin
	}{
		{`{}`, twin{}},
		{` { "b" : 2 ,` + "\n\t\r" + ` "a":1 } `, twin{"a": 1, "b": 2}},
		{`{"a":0,"b":1}`, twin{"b": 1}},
		{`{"\u0061\n\t\r\b\f\"\\\/":3}`, twin{"a\n\t\r\b\f\"\\/": 3}},
		{`{"\u00e9":1,"😀":2}`, twin{"é": 1, "😀": 2}},
		{`{"\ud83d\ude00":2}`, twin{"😀": 2}},
		{`{"\ufffd":2}`, twin{"\ufffd": 2}},
		{`{"a":4611686018427387904}`, twin{"a": 1 << 62}},
	} {
		var got vclock.Clock
		require.NoError(t, got.UnmarshalJSON([]byte(c.in)), c.in)
		require.Equal(t, c.want.clock(t), got, c.in)
	}
	c := twin{"a": 1}.clock(t)
	require.NoError(t, c.UnmarshalJSON([]byte(" null")))
	require.Equal(t, twin{"a": 1}.clock(t), c)

	type record struct {
		Context vclock.Clock            `json:"context,omitzero"`
		ByClock map[vclock.Clock]string `json:"by,omitempty"`
	}
	js, err := json.Marshal(record{c, map[vclock.Clock]string{c: "x"}})
	require.NoError(t, err)
	var back record
	require.NoError(t, json.Unmarshal(js, &back))
	require.Equal(t, "x", back.ByClock[c])
	require.Equal(t, c, back.Context)
}

func TestStringIsOneLine(t *testing.T) {
	c := twin{"a\nb": 1, "\x7f": 2, "q\"\\": 3}.clock(t)
	require.NotContains(t, c.String(), "\n")
	require.Equal(t, "{\"a\\u000ab\":1, \"q\\\"\\\\\":3, \"\x7f\":2}", c.String())
}

// What cannot be decoded is not encoded: the writer hears of it, not the reader.
func TestEncodingLimits(t *testing.T) {
	long := strings.Repeat("k", 1025)
	wide := vclock.Clock{}
	for i := range 100 {
		wide = wide.Tick(fmt.Sprintf("%01000d", i))
	}
	for _, c := range []struct {
		clock vclock.Clock
		want  string
	}{
		{vclock.Clock{}.Tick(long), "vclock: id \"" + long[:40] + "\"... has 1025 bytes, want at most 1024"},
		{twin{"a": 1 << 62}.clock(t).Tick("a"), `vclock: counter of "a" is 4611686018427387905, want at most 2^62`},
		{wide, "vclock: clock has 100300 bytes, want at most 65536"},
	} {
		dst := []byte("kept")
		b, err := c.clock.AppendBinary(dst)
		require.EqualError(t, err, c.want)
		require.Equal(t, dst, b)
		b, err = c.clock.AppendText(dst)
		require.EqualError(t, err, c.want)
		require.Equal(t, dst, b)
		_, err = c.clock.MarshalJSON()
		require.EqualError(t, err, c.want)
		var s vclock.Siblings[string]
		b, err = vclock.AppendSiblings(dst, s.Discard(c.clock), appendString)
		require.EqualError(t, err, c.want)
		require.Equal(t, dst, b)
	}
}

// A counter is found too large wherever it stands.
func TestEncodingFindsHugeCounters(t *testing.T) {
	for before := range 24 {
		for l := range 24 {
			c := twin{strings.Repeat("a", before): 1, strings.Repeat("b", l+1): 1<<62 - 1}.clock(t)
			for n := range 3 {
				_, err := c.MarshalBinary()
				require.Equal(t, n == 2, err != nil, "%v", c)
				c = c.Tick(strings.Repeat("b", l+1))
			}
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	var many []vclock.Dot
	for i := range 66 {
		many = append(many, vclock.Dot{ID: fmt.Sprintf("%01000d", i), N: 1})
	}
	for _, c := range []struct {
		dots []vclock.Dot
		want string
	}{
		{[]vclock.Dot{{"a", 1}, {"b", 1}, {"a", 2}}, `vclock: id "a" occurs twice, want once`},
		{[]vclock.Dot{{strings.Repeat("k", 1025), 1}}, `has 1025 bytes, want at most 1024`},
		{[]vclock.Dot{{"a", 1<<62 + 1}}, `vclock: counter of "a" is 4611686018427387905, want at most 2^62`},
		{many, `vclock: clock has 66198 bytes, want at most 65536`},
	} {
		got, err := vclock.Make(c.dots...)
		require.ErrorContains(t, err, c.want)
		require.Equal(t, vclock.Clock{}, got)
		require.False(t, errors.Is(err, vclock.ErrCorrupt))
	}
	dots := []vclock.Dot{{"b", 1}, {"a", 0}, {"a", 2}}
	c, err := vclock.Make(dots...)
	require.NoError(t, err)
	require.Equal(t, `{"a":2, "b":1}`, c.String())
	require.Equal(t, []vclock.Dot{{"b", 1}, {"a", 0}, {"a", 2}}, dots, "the argument is the caller's")
}

func appendString(b []byte, s string) ([]byte, error) { return append(b, s...), nil }
func decodeString(b []byte) (string, error)           { return string(b), nil }

func TestSiblingsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		s := randomSiblings(rng)
		checkSiblings(t, s)
		b, err := vclock.AppendSiblings([]byte("x"), s, appendString)
		require.NoError(t, err)
		require.Equal(t, byte('x'), b[0])
		back, err := vclock.DecodeSiblings(b[1:], decodeString)
		require.NoError(t, err)
		checkSiblings(t, back)
		require.True(t, s.Equal(back))
		require.Equal(t, drawing(s), drawing(back))
		again, err := vclock.AppendSiblings(nil, back, appendString)
		require.NoError(t, err)
		require.Equal(t, b[1:], again)
	}
}

// A decoder may append to what it is given without damage to the next value.
func TestDecoderMayAppend(t *testing.T) {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "a", "one")
	s, _ = s.Put(vclock.Clock{}, "a", "two")
	b, err := vclock.AppendSiblings(nil, s, appendString)
	require.NoError(t, err)
	back, err := vclock.DecodeSiblings(b, func(b []byte) (string, error) { return string(append(b, '!')), nil })
	require.NoError(t, err)
	require.Equal(t, "{a,2,[two! one!]}", drawing(back))
}

func randomSiblings(rng *rand.Rand) vclock.Siblings[string] {
	var s vclock.Siblings[string]
	seen := []vclock.Clock{{}}
	for i := range rng.IntN(10) {
		ctx := seen[rng.IntN(len(seen))]
		if rng.IntN(6) == 0 {
			s = s.Discard(ctx)
		} else {
			s, _ = s.Put(ctx, ids[rng.IntN(len(ids))], strings.Repeat("v", i*rng.IntN(40)))
		}
		seen = append(seen, s.Context())
	}
	return s
}

// Version 0 may change, but not by accident.
func TestSiblingsGolden(t *testing.T) {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "gone", "v0")
	s, _ = s.Put(s.Context(), "a", "v1")
	read := s.Context()
	s, _ = s.Put(read, "a", "v2")
	s, _ = s.Put(read, "a", strings.Repeat("v3", 100))
	s, _ = s.Put(read, "b", "")
	b, err := vclock.AppendSiblings(nil, s, appendString)
	require.NoError(t, err)
	testkit.Golden(t, "testdata/v0/siblings.bin", b)
}

func TestSiblingsEncodingErrors(t *testing.T) {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "a", "1")
	boom := errors.New("boom")
	b, err := vclock.AppendSiblings([]byte("kept"), s, func(b []byte, _ string) ([]byte, error) { return nil, boom })
	require.ErrorIs(t, err, boom)
	require.EqualError(t, err, `vclock: value 1 of "a": boom`)
	require.Equal(t, "kept", string(b))
	_, err = vclock.AppendSiblings(nil, s, func(b []byte, _ string) ([]byte, error) { return nil, nil })
	require.ErrorContains(t, err, "encoder returned 0 bytes")

	b, err = vclock.AppendSiblings(nil, s, appendString)
	require.NoError(t, err)
	_, err = vclock.DecodeSiblings(b, func([]byte) (string, error) { return "", boom })
	require.ErrorIs(t, err, boom)
	require.ErrorIs(t, err, vclock.ErrCorrupt)
	require.EqualError(t, err, `vclock: corrupt encoding: value 1 of "a": boom`)
}

func TestNewActor(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := vclock.NewActor("cart-1")
		require.Regexp(t, `^cart-1~[a-z2-7]{13}$`, id)
		require.False(t, seen[id])
		seen[id] = true
	}
}
