package blob_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/distkit/distkit/merkle/blob"
	"github.com/stretchr/testify/require"
)

func TestVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.txt")
	require.NoError(t, err)
	seen := map[string]int{}
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		if w[0] == "#" {
			continue
		}
		seen[w[0]]++
		data := pattern(must(strconv.Atoi(w[1])))
		switch w[0] {
		case "bittorrent":
			_, d := made(t, data, blob.WithProfile(blob.BitTorrentV2))
			require.Equal(t, w[2], d.Root.String(), line)
		case "fsverity":
			salt := must(hex.DecodeString(strings.Trim(w[3], "-")))
			got, err := blob.FSVerityDigest(bytes.NewReader(data), int64(len(data)), must(strconv.Atoi(w[2])), salt)
			require.NoError(t, err)
			require.Equal(t, w[4], got.String(), line)
		}
	}
	require.Equal(t, map[string]int{"bittorrent": 14, "fsverity": 72}, seen)
}
