package vclock_test

import (
	"maps"
	"testing"

	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

// Whatever is accepted is canonical: it encodes to the same bytes.
func FuzzUnmarshalBinary(f *testing.F) {
	for _, entries := range []string{"", "\x01a\x01", "\x01a\x01\x02bb\x80\x01", "\x00\x7f", "\x01a\x00", "\x01b\x01\x01a\x01", "\x81\x00"} {
		f.Add([]byte(entries))
	}
	f.Fuzz(func(t *testing.T, entries []byte) {
		data := image(string(entries)) // the fuzzer would not guess a checksum
		var c vclock.Clock
		if err := c.UnmarshalBinary(data); err != nil {
			require.ErrorIs(t, err, vclock.ErrCorrupt)
			require.Equal(t, vclock.Clock{}, c)
			return
		}
		check(t, c)
		again, err := c.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, data, again)
		w := twin{}
		maps.Insert(w, c.All())
		require.Equal(t, w.clock(t), c)
	})
}

func FuzzUnmarshalText(f *testing.F) {
	for _, s := range []string{"", "AZjptxkBYQE", "AZjptxkBYQE\n", "ATSzJ1UB____AQ"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c vclock.Clock
		if err := c.UnmarshalText(text); err != nil {
			require.ErrorIs(t, err, vclock.ErrCorrupt)
			return
		}
		check(t, c)
		again, err := c.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, again)
	})
}

func FuzzUnmarshalJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1, "b":2}`, `{"\u00e9":0}`, `{"\ud83d\ude00":3}`, `null`, `{"a":1,"a":1}`, `"AZjptxkBYQE"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c vclock.Clock
		if err := c.UnmarshalJSON(data); err != nil {
			require.ErrorIs(t, err, vclock.ErrCorrupt)
			return
		}
		check(t, c)
		again, err := c.MarshalJSON()
		if err != nil {
			require.ErrorContains(t, err, "UTF-8") // came in a token
			return
		}
		var d vclock.Clock
		require.NoError(t, d.UnmarshalJSON(again))
		require.Equal(t, c, d)
		var e vclock.Clock
		require.NoError(t, e.UnmarshalJSON([]byte(c.String())))
		require.Equal(t, c, e)
	})
}

func FuzzDecodeSiblings(f *testing.F) {
	for _, body := range []string{"\x00", "\x03\x01a\x02\x00", "\x03\x01a\x02\x02\x02v2\x02v1", "\x06\x01a\x02\x01b\x01\x00\x01\x00", "\x03\x01a\x01\x02\x00\x00"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		data := siblingsImage(string(body))
		s, err := vclock.DecodeSiblings(data, decodeString)
		if err != nil {
			require.ErrorIs(t, err, vclock.ErrCorrupt)
			return
		}
		checkSiblings(t, s)
		again, err := vclock.AppendSiblings(nil, s, appendString)
		require.NoError(t, err)
		require.Equal(t, data, again)
		require.True(t, s.Merge(s).Equal(s))
		require.Zero(t, s.Discard(s.Context()).Len())
	})
}

// Two clocks from bytes, against the map.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, []byte{1, 2, 3, 5}, "a")
	f.Fuzz(func(t *testing.T, x, y []byte, id string) {
		ta, tb := fuzzTwin(x), fuzzTwin(y)
		a, b := ta.clock(t), tb.clock(t)
		require.Equal(t, ta.compare(tb), a.Compare(b))
		require.Equal(t, tb.leq(ta), a.Descends(b))
		require.Equal(t, ta.combine(tb, larger).clock(t), a.Merge(b))
		require.Equal(t, ta.combine(tb, smaller).clock(t), a.Meet(b))
		if a.Get(id) < 1<<62 && len(id) <= 1024 {
			check(t, a.Tick(id))
		}
		require.Equal(t, a.Get(id)+1, a.Tick(id).Get(id))
		require.Equal(t, a.Without(id), a.Tick(id).Without(id))
	})
}

// fuzzTwin takes a byte for the id and one for the counter.
func fuzzTwin(b []byte) twin {
	t := twin{}
	for len(b) >= 2 {
		t[ids[int(b[0])%len(ids)]] = counters[int(b[1])%len(counters)]
		b = b[2:]
	}
	return t
}
