package vclock_test

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

// refused holds that data is ErrCorrupt in the binary form and as a token, and
// that nothing of it gets into the receiver.
func refused(t *testing.T, data []byte, why ...any) {
	t.Helper()
	before := twin{"kept": 1}.clock(t)
	c := before
	require.ErrorIs(t, c.UnmarshalBinary(data), vclock.ErrCorrupt, why...)
	require.ErrorIs(t, c.UnmarshalText(base64.RawURLEncoding.AppendEncode(nil, data)), vclock.ErrCorrupt, why...)
	require.Equal(t, before, c)
}

// Damage: every bit flip and every truncation of a stored clock is seen.
func TestDamageIsSeen(t *testing.T) {
	for _, w := range []twin{{}, {"a": 1}, {"node-000": 1000, "node-001": 2000, "node-002": 3000}} {
		bin, err := w.clock(t).MarshalBinary()
		require.NoError(t, err)
		for i := range bin {
			refused(t, bin[:i], "cut at %d", i)
			for bit := range 8 {
				bad := append([]byte(nil), bin...)
				bad[i] ^= 1 << bit
				refused(t, bad, "bit %d of byte %d", bit, i)
			}
		}
		refused(t, append(bin, 0))
		refused(t, append(bin, bin...))
	}
	refused(t, nil)
}

// A second spelling of a clock would break == and every cache and hash of its
// bytes. The checksums here are right; the entries are not canonical.
func TestOneSpelling(t *testing.T) {
	for why, entries := range map[string]string{
		"counter 0":                    "\x01a\x00",
		"counter above 2^62":           "\x01a" + string(binary.AppendUvarint(nil, 1<<62+1)),
		"counter 2^64-1":               "\x01a" + string(binary.AppendUvarint(nil, 1<<64-1)),
		"counter of eleven bytes":      "\x01a" + strings.Repeat("\xff", 10) + "\x01",
		"counter longer than needed":   "\x01a\x81\x00",
		"counter 0 in two bytes":       "\x01a\x80\x00",
		"counter cut short":            "\x01a\x81",
		"counter missing":              "\x01a",
		"length longer than needed":    "\x81\x00a\x01",
		"length beyond the end":        "\x02a",
		"length beyond any id":         "\x81\x08" + strings.Repeat("k", 1025) + "\x01",
		"length 2^64-1":                strings.Repeat("\xff", 9) + "\x01",
		"length cut short":             "\x81",
		"descending ids":               "\x01b\x01\x01a\x01",
		"an id twice":                  "\x01a\x01\x01a\x01",
		"the empty id twice":           "\x00\x01\x00\x01",
		"a longer id before its start": "\x02aa\x01\x01a\x01",
		"something after the entries":  "\x01a\x01\x00",
	} {
		refused(t, image(entries), why)
		s := binary.AppendUvarint(nil, uint64(len(entries)))
		_, err := vclock.DecodeSiblings(siblingsImage(string(s)+entries+"\x00"), decodeString)
		require.ErrorIs(t, err, vclock.ErrCorrupt, why)
	}
	sound := image("\x01a\x01")
	sound[0] = 2
	refused(t, sound, "version 2")
}

// Tokens have one spelling too: encoding/base64 alone takes line breaks and,
// unless it is strict, stray bits.
func TestOneToken(t *testing.T) {
	text, err := twin{"a": 1}.clock(t).MarshalText()
	require.NoError(t, err)
	var c vclock.Clock
	require.NoError(t, c.UnmarshalText(text))
	for _, bad := range []string{
		"", string(text) + "\n", "\r" + string(text), string(text[:5]) + "\n" + string(text[5:]), string(text) + "=",
		string(text[:len(text)-1]) + string(text[len(text)-1]+1), " " + string(text), strings.Repeat("A", 1<<20),
	} {
		require.ErrorIs(t, c.UnmarshalText([]byte(bad)), vclock.ErrCorrupt, "%.40q", bad)
	}
	std := base64.RawStdEncoding.EncodeToString(image("\x03\xff\xff\xff\x01"))
	require.ErrorIs(t, c.UnmarshalText([]byte(std)), vclock.ErrCorrupt, "%s", std)
}

// JSON from strangers.
func TestHostileJSON(t *testing.T) {
	before := twin{"kept": 1}.clock(t)
	for _, bad := range []string{
		``, ` `, `[]`, `1`, `""`, `"a"`, `"a`, `"AXTjNDsBYQEBYgI" x`, `"\x"`, `nul`, `nullx`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{"a":1}}`, `{"a":1} x`,
		`{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `{"a":-1}`, `{"a":1.0}`, `{"a":1e3}`, `{"a":01}`, `{"a":"1"}`, `{"a":null}`, `{"a":}`,
		`{"a":18446744073709551616}`, `{"a":18446744073709551615}`, `{"a":4611686018427387905}`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `{"a":0,"a":1}`, `{"a":0,"a":0}`,
		"{\"\xff\":1}", "{\"a\nb\":1}", `{"\ud83d":1}`, `{"\ud83dx":1}`, `{"\ud83d\n":1}`, `{"\ud83d\u0041":1}`, `{"\ude00\ud83d":1}`, `{"\u12":1}`, `{"\u12G4":1}`, `{"\ud83d\u12":1}`, `{"\x61":1}`, `{"\`, `{"\u`, `{"a`,
		`{"` + strings.Repeat("k", 1025) + `":1}`,
	} {
		c := before
		require.ErrorIs(t, c.UnmarshalJSON([]byte(bad)), vclock.ErrCorrupt, "%.40q", bad)
		require.Equal(t, before, c)
	}
	var wide strings.Builder
	for i := range 70 {
		wide.WriteString(`,"` + strings.Repeat(string(rune('0'+i)), 1000) + `":1`)
	}
	c := before
	require.ErrorIs(t, c.UnmarshalJSON([]byte("{"+wide.String()[1:]+"}")), vclock.ErrCorrupt)
	require.Equal(t, before, c)
}

// Bombs: lengths that claim much allocate nothing.
func TestDecodingIsBounded(t *testing.T) {
	var c vclock.Clock
	huge := image(strings.Repeat("\x01a\x01", 1<<20))
	cost := testkit.AllocatedBytes(func() {
		for range 100 {
			require.ErrorIs(t, c.UnmarshalBinary(huge), vclock.ErrCorrupt)
			require.ErrorIs(t, c.UnmarshalText(huge), vclock.ErrCorrupt)
		}
	})
	require.Less(t, cost, uint64(1<<20))

	many := binary.AppendUvarint([]byte("\x0c\x01a"), 1<<62) // 2^62 writes of a, all said to live
	many = binary.AppendUvarint(many, 1<<62)
	cost = testkit.AllocatedBytes(func() {
		for range 100 {
			_, err := vclock.DecodeSiblings(siblingsImage(string(many)), decodeString)
			require.ErrorIs(t, err, vclock.ErrCorrupt)
		}
	})
	require.Less(t, cost, uint64(1<<20))
}

func siblingsImage(body string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{0}, uint32(xxhash.Sum64String(body)))
	return append(b, body...)
}

func TestHostileSiblings(t *testing.T) {
	const ctx = "\x03\x01a\x02" // {a:2}
	for body, want := range map[string]string{
		ctx + "\x00":                  "{a,2,[]}",
		ctx + "\x02\x02v2\x02v1":      "{a,2,[v2 v1]}",
		"\x00":                        "",
		"":                            "corrupt",
		ctx:                           "corrupt",
		ctx + "\x03\x01x\x01y\x01z":   "corrupt", // more values than writes
		ctx + "\x01":                  "corrupt",
		ctx + "\x01\x02v":             "corrupt",
		ctx + "\x81\x00\x01v":         "corrupt",
		ctx + "\x01\x81\x00v":         "corrupt",
		ctx + "\x00\x00":              "corrupt",
		"\x83\x00\x01a\x02\x00":       "corrupt",
		"\x04\x01a\x02":               "corrupt",
		"\xff\xff\xff\xff\xff\x01":    "corrupt",
		"\x00\x00":                    "corrupt",
		strings.Repeat("\xff", 1<<10): "corrupt",
	} {
		data := siblingsImage(body)
		s, err := vclock.DecodeSiblings(data, decodeString)
		if want == "corrupt" {
			require.ErrorIs(t, err, vclock.ErrCorrupt, "%.40q", body)
			require.True(t, s.Equal(vclock.Siblings[string]{}))
			continue
		}
		require.NoError(t, err, "%q", body)
		require.Equal(t, want, drawing(s))
		for i := range data {
			_, err := vclock.DecodeSiblings(data[:i], decodeString)
			require.ErrorIs(t, err, vclock.ErrCorrupt)
			for bit := range 8 {
				bad := append([]byte(nil), data...)
				bad[i] ^= 1 << bit
				_, err := vclock.DecodeSiblings(bad, decodeString)
				require.ErrorIs(t, err, vclock.ErrCorrupt)
			}
		}
	}
}

// A client invents a context that claims writes to come. Clipped to what the
// server knows it does no harm.
func TestPoisonedContext(t *testing.T) {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "victim", "old")
	poison := twin{"victim": 1 << 62, "stranger": 9}.clock(t)
	clean, dot := s.Put(poison.Meet(s.Context()), "victim", "new")
	require.Equal(t, vclock.Dot{ID: "victim", N: 2}, dot)
	require.Equal(t, "{victim,2,[new]}", drawing(clean))

	// Unclipped it must not be stored and spread in silence.
	dirty, _ := s.Put(poison, "victim", "new")
	_, err := vclock.AppendSiblings(nil, dirty, appendString)
	require.ErrorContains(t, err, "want at most 2^62")
}
