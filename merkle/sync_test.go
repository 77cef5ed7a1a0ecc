package merkle_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type stream struct {
	io.Reader
	io.Writer
}

// over runs both sides over a pipe, of which the initiator reads at most so many
// bytes, and takes at most so many differences. It returns the errors of both.
func over(t *testing.T, x, y *merkle.Tree, bytes int64, most int) (found map[uint64]merkle.Diff, near, far error) {
	t.Helper()
	a, b := net.Pipe()
	ended := make(chan error)
	go func() {
		var err error
		for _, e := range merkle.Sync(b, must(y.Respond())) {
			err = e
		}
		b.Close()
		ended <- err
	}()
	found = map[uint64]merkle.Diff{}
	for d, err := range merkle.Sync(stream{io.LimitReader(a, bytes), a}, must(x.Initiate())) {
		if err != nil {
			near = err
			break
		}
		if found[d.Hash] = d; len(found) == most {
			break
		}
	}
	if near != nil {
		a.Close()
	}
	far = <-ended
	return found, near, far
}

func TestSync(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, d := range []int{0, 5, 700} {
		a, b := replicas(rng, shapes["uniform"], 4000, d)
		found, near, far := over(t, treeOf(t, a), treeOf(t, b), 1<<40, -1)
		require.NoError(t, errors.Join(near, far))
		require.Equal(t, difference(a, b), found)
	}
}

// A loop that ends early ends the other side too; a stream that does is an error.
func TestSyncsThatEndEarly(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 62))
	a, b := replicas(rng, shapes["uniform"], 2000, 300)
	x, y := treeOf(t, a), treeOf(t, b)
	for _, most := range []int{1, 100, 299} {
		found, near, far := over(t, x, y, 1<<40, most)
		require.NoError(t, errors.Join(near, far))
		require.Len(t, found, most)
	}
	for _, n := range []int64{0, 1, 2, 3, 100, 500, 2000} {
		_, near, far := over(t, x, y, n, -1)
		require.ErrorIs(t, near, io.ErrUnexpectedEOF, "%d bytes", n)
		require.Error(t, far)
	}
}

func TestSyncRefusesBadFrames(t *testing.T) {
	for name, frame := range map[string][]byte{
		"ended":     {0},
		"long":      {0x81, 0x80, 0x04},
		"very long": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"noise":     {5, 9, 9, 9, 9, 9},
	} {
		want := map[string]error{"ended": merkle.ErrCorrupt, "noise": merkle.ErrCorrupt}[name]
		if want == nil {
			want = merkle.ErrLimit
		}
		n := 0
		for _, err := range merkle.Sync(stream{bytes.NewReader(frame), io.Discard}, must(few(t, 3).Initiate())) {
			require.ErrorIs(t, err, want, name)
			n++
		}
		require.Equal(t, 1, n)
	}
	// A length allocates nothing: what comes does.
	s := must(few(t, 3).Initiate(merkle.WithMaxMessage(1 << 30)))
	for _, err := range merkle.Sync(stream{bytes.NewReader([]byte{0x80, 0x80, 0x80, 0x80, 0x04, 1}), io.Discard}, s) {
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
	a, b := io.Pipe()
	broken := errors.New("cable cut")
	require.NoError(t, a.CloseWithError(broken))
	for _, err := range merkle.Sync(stream{a, b}, must(few(t, 3).Initiate())) {
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "merkle: writing a message: ")
	}
}

// Two replicas find out over a stream what to send each other: the initiator's side
// moves the rows both ways.
func ExampleSync() {
	mine, _ := merkle.NewTree()
	theirs, _ := merkle.NewTree()
	for i := range uint64(1000) {
		mine.PutHash(i<<50, 1)
		theirs.PutHash(i<<50, 1)
	}
	mine.PutHash(3<<50, 4)
	theirs.PutHash(5<<50, 2)
	theirs.DeleteHash(7 << 50)

	near, far := net.Pipe()
	go func() {
		s, _ := theirs.Respond()
		for _, err := range merkle.Sync(far, s) {
			fmt.Println(err)
		}
	}()
	s, _ := mine.Initiate()
	for d, err := range merkle.Sync(near, s) {
		switch {
		case err != nil:
			fmt.Println(err)
		case d.HasRemote && d.Remote > d.Local: // versions are counters here
			fmt.Println("ask for row", d.Hash>>50)
		default:
			fmt.Println("send row", d.Hash>>50)
		}
	}
	// Output:
	// send row 3
	// ask for row 5
	// send row 7
}

func TestSyncCountsAllBytes(t *testing.T) {
	s := must(few(t, 100).Initiate())
	r := must(few(t, 98).Respond())
	out := must2(s.Next(nil, nil))
	in := must2(r.Next(nil, out))
	must2(s.Next(nil, in))
	assert.Equal(t, merkle.Stats{Messages: 2, BytesIn: uint64(len(in)), BytesOut: uint64(len(out)), Diffs: 2}, s.Stats())
	assert.Equal(t, merkle.Stats{Messages: 2, BytesIn: uint64(len(out)), BytesOut: uint64(len(in))}, r.Stats())
}

// The messages of a small session, under a salt that is fixed, byte by byte.
func TestGoldenMessages(t *testing.T) {
	for name, opts := range optionSets {
		s := must(few(t, 200, opts...).Initiate(merkle.WithMaxMessage(2<<10), merkle.WithRanges(merkle.Range{Start: 1 << 60, End: 1 << 59})))
		s.SetSalt([8]byte{1, 2, 3, 4, 5, 6, 7, 8})
		r := must(few(t, 230, opts...).Respond())
		var story bytes.Buffer
		var in []byte
		for {
			out := must2(s.Next(nil, in))
			if len(out) == 0 {
				break
			}
			in = must2(r.Next(nil, out))
			fmt.Fprintf(&story, "%x\n%x\n", out, in)
		}
		testkit.Golden(t, "testdata/v0/messages-"+name+".txt", story.Bytes())
	}
}
