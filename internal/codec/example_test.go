package codec_test

import (
	"fmt"

	"github.com/distkit/distkit/internal/codec"
)

// The format by example: a header with two parameters and a payload of one word
// that begins at a multiple of 8.
func Example() {
	h := codec.Header{Kind: codec.BloomFilter, Version: 1, Align: 3, Params: []uint64{256, 7}}
	b := codec.AppendHeader(nil, h, 8)
	b = codec.AppendWords(b, []uint64{0x0123456789abcdef})
	b = codec.AppendSum(b, 0)

	for _, f := range []struct {
		size int
		name string
	}{{2, "magic"}, {1, "kind"}, {1, "version"}, {1, "flags to understand"}, {1, "flags to ignore"}, {1, "parameters"}, {1, "log2 of alignment"}, {8, "parameter 0"}, {8, "parameter 1"}, {8, "payload length"}, {8, "payload"}, {8, "checksum"}} {
		fmt.Printf("%-24x%s\n", b[:f.size], f.name)
		b = b[f.size:]
	}
	// Output:
	// d16b                    magic
	// 01                      kind
	// 01                      version
	// 00                      flags to understand
	// 00                      flags to ignore
	// 02                      parameters
	// 03                      log2 of alignment
	// 0001000000000000        parameter 0
	// 0700000000000000        parameter 1
	// 0800000000000000        payload length
	// efcdab8967452301        payload
	// bffe4ec7d0ad9849        checksum
}
