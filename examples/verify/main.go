// Command verify downloads a file from two peers that it does not trust, of which
// one lies. It knows the ID of the file and nothing else; each chunk is checked as
// it arrives, so the first lie names the liar, and the rest comes from the other.
//
//	go run ./examples/verify
//	go run ./examples/verify -file go.sum -chunk 1024 -lie 3
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("verify:", err)
	}
}

func run(args []string, _ io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	name := flags.String("file", "", "file to publish; default: a megabyte made up")
	chunk := flags.Int("chunk", 16<<10, "chunk size, a power of two")
	lie := flags.Uint64("lie", 17, "first chunk in which mallory changes a bit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	data := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(data)
	if *name != "" {
		var err error
		if data, err = os.ReadFile(*name); err != nil {
			return err
		}
	}
	b, err := blob.New(blob.WithChunkSize(*chunk))
	if err != nil {
		return err
	}
	if _, err := b.ReadFrom(bytes.NewReader(data)); err != nil {
		return err
	}
	id := b.Sum().ID()
	fmt.Fprintf(out, "published %d bytes as %v\n", len(data), id)

	got, err := download(out, id, []*peer{
		{name: "alice", data: data, b: b, lie: b.Sum().Chunks()},
		{name: "mallory", data: data, b: b, lie: *lie},
	})
	if err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return errors.New("the download differs from what was published")
	}
	fmt.Fprintln(out, "complete, and the same bytes")
	return nil
}

// peer serves a file. From the chunk lie on it does not serve what was published.
type peer struct {
	name string
	data []byte
	b    *blob.Blob
	lie  uint64
}

// describe sends the descriptor, 80 bytes.
func (p *peer) describe() ([]byte, error) { return p.b.Sum().MarshalBinary() }

// fetch sends a chunk and the hashes that the receiver does not know.
func (p *peer) fetch(chunk uint64, known func(level int, i uint64) bool) ([]byte, []merkle.Hash, error) {
	start, end := p.b.Sum().Bounds(chunk)
	data := slices.Clone(p.data[start:end])
	if chunk >= p.lie {
		data[len(data)/2] ^= 1
	}
	proof, err := p.b.ProofFor(chunk, known)
	return data, proof, err
}

// download takes turns among peers until one lies.
func download(out io.Writer, id merkle.Hash, peers []*peer) ([]byte, error) {
	image, err := peers[len(peers)-1].describe() // whoever sends it: it is held against the ID
	if err != nil {
		return nil, err
	}
	var d blob.Descriptor
	if err := d.UnmarshalBinary(image); err != nil {
		return nil, err
	}
	if d.ID() != id {
		return nil, fmt.Errorf("descriptor has ID %v, want %v", d.ID(), id)
	}
	fmt.Fprintf(out, "%d chunks of %d bytes, root %v\n", d.Chunks(), d.ChunkSize, d.Root)
	v, err := blob.NewVerifier(d)
	if err != nil {
		return nil, err
	}

	file := make([]byte, d.Size)
	chunks, hashes := map[string]int{}, 0
	all := slices.Clone(peers)
	for turn := 0; !v.Done(); turn++ {
		var next uint64
		for first := range v.Missing() {
			next = first
			break
		}
		if len(peers) == 0 {
			return nil, fmt.Errorf("chunk %d: no peer is left", next)
		}
		p := peers[turn%len(peers)]
		data, proof, err := p.fetch(next, v.Known)
		if err != nil {
			return nil, err
		}
		hashes += len(proof)
		if err := v.Verify(next, data, proof); err != nil {
			fmt.Fprintf(out, "%s lies: %v\n", p.name, err)
			peers = slices.DeleteFunc(peers, func(q *peer) bool { return q == p })
			continue
		}
		start, _ := d.Bounds(next)
		copy(file[start:], data)
		chunks[p.name]++
	}
	for _, p := range all {
		fmt.Fprintf(out, "%3d chunks from %s\n", chunks[p.name], p.name)
	}
	fmt.Fprintf(out, "%3d hashes for %d chunks: what is known is not sent again\n", hashes, d.Chunks())
	return file, nil
}
