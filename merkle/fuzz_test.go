package merkle_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/merkle"
)

// Whatever is accepted is a sound tree that encodes to the same bytes again, and
// both ways of decoding agree. Every input is tried as it is and under a right
// checksum.
func FuzzDecode(f *testing.F) {
	for _, opts := range optionSets {
		image := must(few(f, 70, opts...).MarshalBinary())
		f.Add(image)
		f.Add(image[:len(image)/2])
	}
	f.Add(must(newTree(f).MarshalBinary()))
	f.Fuzz(func(t *testing.T, data []byte) {
		mended := bytes.Clone(data)
		if len(data) >= 8 {
			mended = codec.AppendSum(mended[:len(data)-8], 0)
		}
		for _, data := range [][]byte{data, mended} {
			var a, b merkle.Tree
			err := a.UnmarshalBinary(data)
			n, err2 := b.ReadFrom(bytes.NewReader(data))
			if (err == nil) != (err2 == nil && n == int64(len(data))) {
				t.Fatalf("one way says %v, the other %v after %d of %d bytes", err, err2, n, len(data))
			}
			if err != nil {
				if !isOurs(err) {
					t.Fatal(err)
				}
				continue
			}
			again, err := a.MarshalBinary()
			if err != nil || a.Check() != nil || !a.Equal(&b) {
				t.Fatal(err, a.Check())
			}
			// Flags that a reader may ignore are not written again.
			if data[5] == 0 && !bytes.Equal(again, data) {
				t.Fatalf("accepted %x, wrote %x", data, again)
			}
		}
	})
}

func must2(out []byte, _ bool, err error) []byte { return must(out, err) }

// Whatever bytes come from the other side, a session of either role answers with
// a message or with an error of this package, and its state is bounded.
func FuzzNext(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := replicas(rng, shapes["uniform"], 300, 40)
	x, y := treeOf(f, a), treeOf(f, b)
	start, responder := must(x.Initiate()), must(y.Respond())
	opening := must2(start.Next(nil, nil))
	answer := must2(responder.Next(nil, opening))
	second := must2(start.Next(nil, answer))
	f.Add(second)
	f.Add(must2(responder.Next(nil, second)))
	f.Add(opening)
	f.Add(answer)
	f.Add(answer[:len(answer)/2])
	f.Fuzz(func(t *testing.T, message []byte) {
		const most = 1 << 10
		for role, s := range map[string]*merkle.Session{
			"initiator": must(x.Initiate(merkle.WithMaxMessage(most))),
			"asking":    must(x.Initiate(merkle.WithMaxMessage(most))),
			"responder": must(y.Respond(merkle.WithMaxMessage(most))),
		} {
			message := bytes.Clone(message)
			if role != "responder" {
				opening := must2(s.Next(nil, nil))
				if role == "asking" {
					must2(s.Next(nil, must2(responder.Next(nil, opening))))
				}
				if len(message) > 4 { // or it would never be an answer
					copy(message[1:5], opening[1:5])
				}
			}
			out, _, err := s.Next(nil, message)
			if err != nil && !isOurs(err) {
				t.Fatalf("%s: %v", role, err)
			}
			if err != nil && len(out) > 0 {
				t.Fatalf("%s: a message beside the error %v", role, err)
			}
			for d := range s.Diffs() {
				if !d.HasLocal && !d.HasRemote || d.HasLocal && d.HasRemote && d.Local == d.Remote {
					t.Fatalf("%s: %+v is no difference", role, d)
				}
			}
		}
	})
}
