package hlc_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/hlc"
	"github.com/stretchr/testify/require"
)

var (
	_ encoding.BinaryAppender    = hlc.Timestamp(0)
	_ encoding.BinaryMarshaler   = hlc.Timestamp(0)
	_ encoding.BinaryUnmarshaler = (*hlc.Timestamp)(nil)
	_ encoding.TextAppender      = hlc.Timestamp(0)
	_ encoding.TextMarshaler     = hlc.Timestamp(0)
	_ encoding.TextUnmarshaler   = (*hlc.Timestamp)(nil)
)

func TestTimestampOf(t *testing.T) {
	at := time.Date(2026, 7, 8, 9, 10, 11, 123456789, time.FixedZone("", 3600))
	ts := hlc.TimestampOf(at, 77)
	require.True(t, ts.Time().Equal(at.Truncate(time.Microsecond)))
	require.Equal(t, time.UTC, ts.Time().Location())
	require.Equal(t, uint16(77), ts.Logical())
	require.Equal(t, hlc.TimestampOf(at.Add(time.Microsecond), 1), hlc.TimestampOf(at, 4097), "carry")

	require.Equal(t, hlc.Timestamp(0), hlc.TimestampOf(time.Time{}, 0))
	require.Equal(t, hlc.Timestamp(3), hlc.TimestampOf(time.Unix(-1, 999), 3))
	last := time.UnixMicro(1<<52 - 1)
	require.Equal(t, hlc.Timestamp(math.MaxUint64), hlc.TimestampOf(last, 4095))
	require.Equal(t, hlc.Timestamp(math.MaxUint64), hlc.TimestampOf(last, 5000))
	require.Equal(t, hlc.TimestampOf(last, 5), hlc.TimestampOf(last.Add(time.Microsecond), 5))
	const around = 1<<64/1_000_000 + 1 // seconds whose microseconds wrap to few
	require.Equal(t, hlc.TimestampOf(last, 5), hlc.TimestampOf(time.Unix(around, 0), 5))
	for shift := 33; shift < 63; shift++ {
		require.Equal(t, hlc.TimestampOf(last, 5), hlc.TimestampOf(time.Unix(1<<shift, 0), 5))
		require.Equal(t, hlc.Timestamp(5), hlc.TimestampOf(time.Unix(-1<<shift, 0), 5))
	}
	require.Equal(t, 2112, last.UTC().Year())
}

// Both encodings sort as timestamps do.
func TestTimestampEncodings(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		a := hlc.Timestamp(rng.Uint64() >> rng.IntN(64))
		b := a + hlc.Timestamp(rng.IntN(3)) - 1
		binA, _ := a.MarshalBinary()
		binB, _ := b.MarshalBinary()
		textA, _ := a.MarshalText()
		textB, _ := b.MarshalText()
		want := 0
		if a < b {
			want = -1
		} else if a > b {
			want = 1
		}
		require.Equal(t, want, bytes.Compare(binA, binB))
		require.Equal(t, want, strings.Compare(string(textA), string(textB)))
		require.Equal(t, string(textA), a.String())
		var c, d hlc.Timestamp
		require.NoError(t, c.UnmarshalBinary(binA))
		require.NoError(t, d.UnmarshalText(textA))
		require.Equal(t, a, c)
		require.Equal(t, a, d)
	}
	js, err := json.Marshal(map[hlc.Timestamp]hlc.Timestamp{1: 255})
	require.NoError(t, err)
	require.JSONEq(t, `{"0000000000000001":"00000000000000ff"}`, string(js))
	var m map[hlc.Timestamp]hlc.Timestamp
	require.NoError(t, json.Unmarshal(js, &m))
	require.Equal(t, hlc.Timestamp(255), m[1])
	b, err := hlc.Timestamp(2).AppendBinary([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, "x\x00\x00\x00\x00\x00\x00\x00\x02", string(b))
}

func TestHostileTimestamps(t *testing.T) {
	require.Equal(t, vclock.ErrCorrupt, hlc.ErrCorrupt)
	require.Equal(t, vclock.ErrDrift, hlc.ErrDrift)
	ts := hlc.Timestamp(5)
	for _, bad := range []string{"", "1234567", "123456789"} {
		require.ErrorIs(t, ts.UnmarshalBinary([]byte(bad)), hlc.ErrCorrupt)
	}
	for _, bad := range []string{"", "000000000000005", "00000000000000005", "000000000000000F", "000000000000000g", "-000000000000005", "0x00000000000005", "               5"} {
		require.ErrorIs(t, ts.UnmarshalText([]byte(bad)), hlc.ErrCorrupt, bad)
	}
	require.Equal(t, hlc.Timestamp(5), ts)
}

func FuzzUnmarshalText(f *testing.F) {
	f.Add([]byte("0123456789abcdef"))
	f.Add([]byte("0123456789ABCDEF"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var ts hlc.Timestamp
		if err := ts.UnmarshalText(text); err != nil {
			require.ErrorIs(t, err, hlc.ErrCorrupt)
			return
		}
		require.Equal(t, string(text), ts.String())
	})
}
