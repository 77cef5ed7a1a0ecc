package merkle_test

import (
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/merkle"
)

// Whatever bytes come from the other side, a session of either role answers with
// a message or with an error of this package, and its state is bounded.
func FuzzNext(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := replicas(rng, shapes["uniform"], 300, 40)
	x, y := treeOf(f, a), treeOf(f, b)
	start, err := x.Initiate()
	if err != nil {
		f.Fatal(err)
	}
	opening, _, err := start.Next(nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	responder, err := y.Respond()
	if err != nil {
		f.Fatal(err)
	}
	answer, _, err := responder.Next(nil, opening)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(opening)
	f.Add(answer)
	f.Add(answer[:len(answer)/2])
	f.Fuzz(func(t *testing.T, message []byte) {
		const most = 1 << 10
		for role, side := range map[string]func(...merkle.SessionOption) (*merkle.Session, error){"initiator": x.Initiate, "responder": y.Respond} {
			s, err := side(merkle.WithMaxMessage(most))
			if err != nil {
				t.Fatal(err)
			}
			if role == "initiator" {
				if _, _, err := s.Next(nil, nil); err != nil {
					t.Fatal(err)
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
