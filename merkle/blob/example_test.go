package blob_test

import (
	"bytes"
	"fmt"

	"github.com/distkit/distkit/merkle/blob"
)

// A file is published by its descriptor and verified chunk by chunk.
func Example() {
	file := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	b, err := blob.New()
	if err != nil {
		panic(err)
	}
	if _, err := b.ReadFrom(bytes.NewReader(file)); err != nil {
		panic(err)
	}
	d := b.Sum()
	fmt.Println(d.Chunks(), "chunks of", d.ChunkSize, "bytes, root", d.Root.String()[:16])

	v, err := blob.NewVerifier(d) // at the receiver, who trusts d
	if err != nil {
		panic(err)
	}
	for _, chunk := range []uint64{2, 0, 3, 1} { // in any order
		start, end := d.Bounds(chunk)
		proof, err := b.ProofFor(chunk, v.Known) // at the sender
		if err != nil {
			panic(err)
		}
		fmt.Println("chunk", chunk, "with", len(proof), "hashes:", v.Verify(chunk, file[start:end], proof))
	}
	fmt.Println("done:", v.Done())
	// Output:
	// 4 chunks of 16384 bytes, root a3c2c72ab4cd48c9
	// chunk 2 with 2 hashes: <nil>
	// chunk 0 with 1 hashes: <nil>
	// chunk 3 with 0 hashes: <nil>
	// chunk 1 with 0 hashes: <nil>
	// done: true
}

// The root that a v2 torrent holds for a file.
func ExampleBlob_bitTorrent() {
	b, err := blob.New(blob.WithProfile(blob.BitTorrentV2))
	if err != nil {
		panic(err)
	}
	fmt.Fprint(b, "The quick brown fox jumps over the lazy dog")
	fmt.Println(b.Sum().Root)
	// Output:
	// d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592
}

// A lie is refused, and what is missing stays missing.
func ExampleVerifier() {
	file := make([]byte, 3000)
	b, err := blob.New(blob.WithChunkSize(1 << 10))
	if err != nil {
		panic(err)
	}
	b.Write(file)
	v, err := blob.NewVerifier(b.Sum())
	if err != nil {
		panic(err)
	}
	proof, _ := b.Proof(0, 2) // two chunks at once
	lie := bytes.Clone(file[:2048])
	lie[1000] = 1
	fmt.Println(v.Verify(0, lie, proof))
	fmt.Println(v.Verify(0, file[:2048], proof))
	for first, n := range v.Missing() {
		fmt.Println("missing:", n, "from chunk", first, "on")
	}
	// Output:
	// blob: chunks 0 to 1 do not lead to what is known: merkle: proof does not verify
	// <nil>
	// missing: 1 from chunk 2 on
}

// Who has the ID, from a page that is signed, takes the descriptor from anybody.
func ExampleDescriptor() {
	b, err := blob.New()
	if err != nil {
		panic(err)
	}
	fmt.Fprint(b, "hello")
	id := b.Sum().ID()
	image, _ := b.Sum().MarshalBinary()

	var d blob.Descriptor
	if err := d.UnmarshalBinary(image); err != nil {
		panic(err)
	}
	fmt.Println(d.ID() == id, d.Profile, d.Size)
	// Output:
	// true RFC9162 5
}
