package ratelimit_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var secret = distkit.Secret{0x5e, 1, 15: 0x17}

// A unit of this limit is a nanosecond, so that a snapshot is the same at any instant.
var binaryLimit = ratelimit.Limit{Events: 1, Period: 1 << 30, Burst: 4}

func standing(at *time.Duration) ratelimit.Option {
	return ratelimit.WithClock(func() time.Duration { return *at })
}

func snapshot(t testing.TB, k *ratelimit.Keyed) []byte {
	var b bytes.Buffer
	n, err := k.WriteTo(&b)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	return b.Bytes()
}

func read(k *ratelimit.Keyed, image []byte) error {
	_, err := k.ReadFrom(bytes.NewReader(image))
	return err
}

// A key whose debt ends just now, or was given back, owes nothing: it is no debtor, and
// what WriteTo writes can be read.
func TestSnapshotWithoutDebt(t *testing.T) {
	for _, a := range algorithms {
		at := time.Hour
		opts := []ratelimit.Option{ratelimit.WithAlgorithm(a), ratelimit.WithSecret(secret), standing(&at)}
		k := must(ratelimit.NewKeyed(ratelimit.PerSecond(1), opts...))
		k.AllowString("ends")
		at += time.Second
		r := k.KeyString("given back").Reserve(1)
		r.Cancel()
		if a != ratelimit.SlidingWindow { // which still counts what passed a second ago
			assert.Empty(t, maps.Collect(k.Debtors()), "%v", a)
		}
		assert.NoError(t, read(must(ratelimit.NewKeyed(ratelimit.PerSecond(1), opts...)), snapshot(t, k)), "%v", a)
	}
	// A burst of the least unit, at a rate of which two units accrue in a nanosecond.
	at, least := time.Hour, ratelimit.Limit{Events: 2, Period: 1, Burst: 1}
	k := must(ratelimit.NewKeyed(least, ratelimit.WithSecret(secret), standing(&at)))
	k.AllowString("one")
	require.NoError(t, read(k, snapshot(t, k)))
	assert.False(t, k.AllowString("one"))
}

// After a restart, in another process with another clock, every key has what it had.
func TestSnapshotSurvivesRestart(t *testing.T) {
	for _, a := range algorithms {
		t.Run(a.String(), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(61, 62))
			before, after := 100*time.Hour, 7*time.Minute // half past, by windows of an hour
			opts := []ratelimit.Option{ratelimit.WithAlgorithm(a), ratelimit.WithSecret(secret)}
			old := must(ratelimit.NewKeyed(ratelimit.PerHour(100), append(opts, standing(&before))...))
			for i := range 5000 {
				old.TakeString(fmt.Sprint("key ", i), 1+rnd.Int64N(100))
			}
			before += 20 * time.Second // the debts of some are gone
			image := snapshot(t, old)

			k := must(ratelimit.NewKeyed(ratelimit.PerHour(100), append(opts, standing(&after))...))
			k.AllowString("a debt that is replaced")
			extra := []byte("what follows")
			r := io.MultiReader(bytes.NewReader(image), bytes.NewReader(extra))
			n, err := k.ReadFrom(r)
			require.NoError(t, err)
			assert.EqualValues(t, len(image), n)
			rest, _ := io.ReadAll(r)
			assert.Equal(t, extra, rest, "not a byte more than its own")
			for i := range 5000 {
				was, is := old.KeyString(fmt.Sprint("key ", i)).Peek(), k.KeyString(fmt.Sprint("key ", i)).Peek()
				require.Equal(t, was.Remaining, is.Remaining)
				if a == ratelimit.TokenBucket {
					require.InDelta(t, was.ResetAfter, is.ResetAfter, 2)
				}
			}
			assert.EqualValues(t, 100, k.KeyString("a debt that is replaced").Peek().Remaining)
			check(t, k)
			assert.Equal(t, len(snapshot(t, k)), len(image))
		})
	}
}

func TestSnapshotOfSeveralLimits(t *testing.T) {
	at := time.Hour
	make := func() *ratelimit.Keyed {
		return must(ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerSecond(10), ratelimit.PerDay(50)}, ratelimit.WithSecret(secret), standing(&at)))
	}
	old := make()
	old.TakeString("a", 7)
	old.TakeString("b", 10)
	at += time.Second // the second's debts are gone, the day's are not
	old.TakeString("a", 1)
	k := make()
	require.NoError(t, read(k, snapshot(t, old)))
	for _, key := range []string{"a", "b", "c"} {
		for n := range int64(12) {
			assert.Equal(t, old.TakeString(key, -n).Remaining, k.TakeString(key, -n).Remaining)
			assert.Equal(t, old.TakeString(key, n).Allowed, k.TakeString(key, n).Allowed)
		}
	}
}

// Debts are converted to the receiver's limit as by SetLimit.
func TestSnapshotUnderAnotherLimit(t *testing.T) {
	var at time.Duration
	old := must(ratelimit.NewKeyed(ratelimit.PerMinute(60), ratelimit.WithSecret(secret), standing(&at)))
	old.TakeString("a", 45)
	old.TakeString("b", 5)
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(20), ratelimit.WithSecret(secret), standing(&at)))
	require.NoError(t, read(k, snapshot(t, old)))
	assert.EqualValues(t, 15, k.KeyString("a").Peek().Remaining)
	assert.EqualValues(t, 20, k.KeyString("b").Peek().Remaining, "55, up to the burst")
	assert.Equal(t, []ratelimit.Limit{ratelimit.PerHour(20)}, k.Limits())
	require.NoError(t, k.SetLimit(ratelimit.Unlimited))
	require.NoError(t, read(k, snapshot(t, old)))
	assert.True(t, k.TakeString("a", 1<<40).Allowed)
	assert.Zero(t, k.Len())
	require.NoError(t, read(old, snapshot(t, k)))
	assert.Zero(t, old.Len(), "and back")
}

// What was reserved before debts were replaced is not given back.
func TestSnapshotAndReservations(t *testing.T) {
	var at time.Duration
	k := must(ratelimit.NewKeyed(ratelimit.PerMinute(6), ratelimit.WithSecret(secret), standing(&at)))
	k.TakeString("a", 6)
	r := k.KeyString("a").Reserve(6)
	image := snapshot(t, k) // which owes no more than a burst
	require.NoError(t, read(k, image))
	r.Cancel()
	assert.InDelta(t, time.Minute, k.KeyString("a").Peek().ResetAfter, 2)
}

func TestSnapshotGolden(t *testing.T) {
	var at time.Duration
	k := must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret), standing(&at)))
	k.TakeString("a", 4)
	k.TakeString("b", 1)
	at += 1 << 29
	k.TakeString("c", 2)
	k.KeyString("d").Reserve(4)
	k.KeyString("d").Reserve(4)
	k.TakeHash(77, 3)
	image := snapshot(t, k)
	testkit.Golden(t, "testdata/v0/keyed.bin", image)
	assert.Len(t, image, 40+24+5*16+8)
	again := must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret), standing(&at)))
	require.NoError(t, read(again, image))
	assert.Equal(t, image, snapshot(t, again), "canonical")
	assert.EqualValues(t, 1, again.KeyHash(77).Peek().Remaining)
}

func TestSnapshotErrors(t *testing.T) {
	plain := must(ratelimit.NewKeyed(binaryLimit))
	_, err := plain.WriteTo(io.Discard)
	assert.EqualError(t, err, "ratelimit: snapshots need WithSecret: other hashes mean nothing in another process")
	made := must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret)))
	made.AllowString("a")
	made.AllowString("b")
	image := snapshot(t, made)
	for says, k := range map[string]*ratelimit.Keyed{
		"snapshots need WithSecret, receiver has none":              plain,
		"snapshots need WithSecret, receiver has none ":             new(ratelimit.Keyed),
		"snapshot was made under another secret":                    must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(distkit.Secret{1}))),
		"snapshot is of a token bucket, receiver of a fixed window": must(ratelimit.NewKeyed(ratelimit.PerSecond(1), ratelimit.WithSecret(secret), ratelimit.WithAlgorithm(ratelimit.FixedWindow))),
		"snapshot has 1 limits, receiver 2":                         must(ratelimit.NewKeyedMulti([]ratelimit.Limit{binaryLimit, binaryLimit}, ratelimit.WithSecret(secret))),
		"snapshot has 2 keys, limit of WithMaxKeys is 1":            must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret), ratelimit.WithMaxKeys(1))),
	} {
		err := read(k, image)
		assert.ErrorIs(t, err, ratelimit.ErrIncompatible)
		assert.NotErrorIs(t, err, ratelimit.ErrCorrupt)
		assert.Contains(t, err.Error()+" ", says)
		assert.Zero(t, k.Len())
	}
	_, err = made.WriteTo(iotest.TruncateWriter(failing{}, 10))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	_, err = made.ReadFrom(iotest.ErrReader(io.ErrClosedPipe))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	_, err = made.ReadFrom(bytes.NewReader(nil))
	assert.ErrorIs(t, err, io.EOF)
	assert.ErrorIs(t, err, ratelimit.ErrCorrupt)
	assert.Equal(t, 2, made.Len())
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// forge returns an image with a sound envelope of these words.
func forge(words []uint64, params ...uint64) []byte {
	h := codec.Header{Kind: codec.LimitKeyed, Align: 3, Params: params}
	return codec.AppendSum(codec.AppendWords(codec.AppendHeader(nil, h, 8*len(words)), words), 0)
}

// Whatever is wrong inside a sound envelope is said.
func TestHostileSnapshots(t *testing.T) {
	k := must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret)))
	k.AllowString("a")
	image := snapshot(t, k)
	checkValue := binary.LittleEndian.Uint64(image[8:])
	limit := []uint64{1, 1 << 30, 4}
	with := func(words ...uint64) []uint64 { return append(append([]uint64{}, limit...), words...) }
	for says, bad := range map[string][]byte{
		"algorithm is 3, want at most":                           forge(limit, checkValue, 3, 1),
		"number of limits is 0, want 1 to 16":                    forge(limit, checkValue, 0, 0),
		"number of limits is 18446744073709551615, want 1 to 16": forge(limit, checkValue, 0, math.MaxUint64),
		"payload has 16 bytes, want 24 and whole records of 16":  forge(limit[:2], checkValue, 0, 1),
		"payload has 32 bytes, want 24 and whole records of 16":  forge(with(1), checkValue, 0, 1),
		"limit 1 of 1: ratelimit: invalid limit: events is -1":   forge([]uint64{math.MaxUint64, 1, 1}, checkValue, 0, 1),
		"burst of limit 1 of 1 is 0, want it spelled out":        forge([]uint64{1, 1, 0}, checkValue, 0, 1),
		"key 0 is 0":                        forge(with(0, 1), checkValue, 0, 1),
		"key 1 is not above the one before": forge(with(5, 1, 5, 1), checkValue, 0, 1),
		"key 1 owes nothing":                forge(with(5, 1, 6, 0), checkValue, 0, 1),
		"debt of key 0 is 18446744073709551615, want at most 4294967296": forge(with(5, math.MaxUint64), checkValue, 0, 1),
		"debt of key 0 is 1, want at most 0":                             forge([]uint64{math.MaxInt64, 1, math.MaxInt64, 5, 1}, checkValue, 0, 1),
		"parameters":                                                     forge(limit, checkValue, 0),
	} {
		err := read(k, bad)
		assert.ErrorIs(t, err, ratelimit.ErrCorrupt)
		assert.ErrorContains(t, err, says)
		assert.EqualValues(t, 3, k.KeyString("a").Peek().Remaining, "nothing has changed")
	}
	for cut := range image {
		require.ErrorIs(t, read(k, image[:cut]), ratelimit.ErrCorrupt)
	}
	for bit := range 8 * len(image) {
		bad := bytes.Clone(image)
		bad[bit/8] ^= 1 << (bit % 8)
		require.ErrorIs(t, read(k, bad), ratelimit.ErrCorrupt, "bit %d", bit)
	}

	// The most that a sound forgery can do is refuse, for a burst's time.
	worst := forge(with(5, 1<<32), checkValue, 0, 1)
	require.NoError(t, read(k, worst))
	for _, r := range k.Debtors() {
		assert.InDelta(t, time.Duration(1<<32), r.ResetAfter, 1e9)
	}
}

// A header that promises much, and a stream that never ends, cost what has arrived.
func TestSnapshotBombs(t *testing.T) {
	k := must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret)))
	image := forge(make([]uint64, 1000), 0, 0, 1)
	for _, payload := range []uint64{24 + 16<<20, 24 + 16<<40, math.MaxInt64 &^ 15, math.MaxUint64} {
		bad := bytes.Clone(image)
		binary.LittleEndian.PutUint64(bad[32:], payload)
		used := testkit.AllocatedBytes(func() { require.ErrorIs(t, read(k, bad), ratelimit.ErrCorrupt) })
		assert.LessOrEqual(t, used, uint64(1<<20))
	}
}

func FuzzReadFrom(f *testing.F) {
	k := must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret)))
	k.TakeString("a", 2)
	f.Add(snapshot(f, k))
	k.TakeString("b", 4)
	f.Add(snapshot(f, k))
	checkValue := binary.LittleEndian.Uint64(snapshot(f, k)[8:])
	f.Add(forge([]uint64{1, 1 << 30, 4, 5, 1 << 20, 7, 3 << 30}, checkValue, 0, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		mended := bytes.Clone(data)
		if len(mended) > 8 {
			mended = codec.AppendSum(mended[:len(mended)-8], 0)
		}
		for _, image := range [][]byte{data, mended} {
			at := time.Second
			k := must(ratelimit.NewKeyed(binaryLimit, ratelimit.WithSecret(secret), standing(&at)))
			var err error
			used := testkit.AllocatedBytes(func() { err = read(k, image) })
			require.LessOrEqual(t, used, uint64(16*len(image)+1<<20))
			if err != nil {
				require.True(t, errors.Is(err, ratelimit.ErrCorrupt) || errors.Is(err, ratelimit.ErrIncompatible), "%v", err)
				require.Zero(t, k.Len())
				continue
			}
			for _, r := range k.Debtors() {
				require.LessOrEqual(t, r.ResetAfter, time.Duration(4<<30+2))
				require.GreaterOrEqual(t, r.Remaining, int64(0))
			}
			_, problems := k.Verify()
			require.Empty(t, problems)
		}
	})
}

func TestDebtors(t *testing.T) {
	var at time.Duration
	k := must(ratelimit.NewKeyed(ratelimit.PerMinute(6), ratelimit.WithSecret(secret), standing(&at)))
	k.TakeHash(1, 1)
	at = time.Minute
	want := map[int64]int{}
	for i := range 500 {
		k.TakeHash(uint64(1000+i), 1+int64(i%6))
		want[5-int64(i%6)]++
	}
	got, last := map[int64]int{}, uint64(0)
	for h, r := range k.Debtors() {
		assert.Greater(t, h, last, "ascending")
		last = h
		got[r.Remaining]++
		k.KeyHash(h).Allow() // the table may be used meanwhile
	}
	assert.Equal(t, want, got, "those without debt are none")
	for range k.Debtors() {
		break
	}
	for range new(ratelimit.Keyed).Debtors() {
		t.Error("a debtor of a zero Keyed")
	}
}

// Snapshots are taken and read while four goroutines decide.
func TestSnapshotWhileDeciding(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(100), ratelimit.WithSecret(secret)))
	done := make(chan struct{})
	for g := range 4 {
		go func() {
			for i := range 3000 {
				k.KeyHash(uint64(i % 700)).AllowN(1)
				k.KeyHash(uint64(g*10_000 + i)).Take(1)
			}
			done <- struct{}{}
		}()
	}
	other := must(ratelimit.NewKeyed(ratelimit.PerHour(100), ratelimit.WithSecret(secret)))
	for running := 4; running > 0; {
		select {
		case <-done:
			running--
		default:
			image := snapshot(t, k)
			require.NoError(t, read(other, image))
			require.NoError(t, read(k, image))
		}
	}
	check(t, k)
	check(t, other)
}
