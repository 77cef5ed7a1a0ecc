package merkle

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/merkle/blob"
)

// mebibyte is an operation of the blob bars.
const mebibyte = 1 << 20

// endless repeats a mebibyte.
type endless struct {
	data []byte
	at   int
}

func (r *endless) Read(p []byte) (int, error) {
	n := copy(p, r.data[r.at:])
	r.at = (r.at + n) % len(r.data)
	return n, nil
}

func blobBars() []bar.Bar {
	flat := always("SHA-256 of all", func() func(uint64) uint64 {
		h, buf := sha256.New(), make([]byte, mebibyte)
		return func(i uint64) uint64 {
			h.Write(number(buf, i))
			return i
		}
	})
	writing := func(opts ...blob.Option) bar.Side {
		return always("distkit", func() func(uint64) uint64 {
			b, buf := check(blob.New(opts...)), make([]byte, mebibyte)
			return func(i uint64) uint64 {
				check(b.Write(number(buf, i)))
				return i
			}
		})
	}
	reading := bar.Side{Impl: "distkit", New: func() func(int) uint64 {
		src := &endless{data: make([]byte, mebibyte)}
		return func(n int) uint64 {
			b := check(blob.New())
			check(b.ReadFrom(io.LimitReader(src, int64(n)*mebibyte)))
			return uint64(b.Sum().Root[0])
		}
	}}
	return []bar.Bar{
		{Name: "blob Write of 1 MiB", Ours: writing(), Peer: flat, Limit: 1 / 0.97, Allocs: bar.AnyAllocs},
		{Name: "blob Write of 1 MiB, BitTorrentV2", Ours: writing(blob.WithProfile(blob.BitTorrentV2)), Peer: flat, Limit: 1 / 0.97, Allocs: bar.AnyAllocs},
		{Name: "blob ReadFrom of 1 MiB, 2 cores", Ours: reading, Peer: flat, Limit: 1 / 1.6, Allocs: bar.AnyAllocs},
	}
}

func blobFigures() []bar.Figure {
	return []bar.Figure{{Name: "blob Verifier, a download in random order", Unit: "hashes/chunk", Limit: 2, Measure: func() float64 {
		const chunks = 4096
		b := check(blob.New(blob.WithChunkSize(1 << 10)))
		data := make([]byte, chunks<<10)
		for i := range uint64(chunks) {
			number(data[i<<10:], i)
		}
		check(b.Write(data))
		d := b.Sum()
		v, hashes := check(blob.NewVerifier(d)), 0
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(chunks) {
			start, end := d.Bounds(uint64(i))
			p := check(b.ProofFor(uint64(i), v.Known))
			must(v.Verify(uint64(i), data[start:end], p))
			hashes += len(p)
		}
		if !v.Done() {
			panic("the download is not complete")
		}
		return float64(hashes) / chunks
	}}}
}
