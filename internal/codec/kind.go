package codec

import (
	"fmt"
	"strings"
)

// Kind says what an image holds.
type Kind byte

// The table of kinds, sixteen for each package. A number is never given twice, not
// even when its type is gone.
//
// 103 (the letter g) and 104 (h) are no kinds and will be none: messages of
// quorum/gossip and files of quorum/hints begin with the magic and that letter.
const (
	BloomFilter   Kind = 1
	BloomClassic  Kind = 2
	BloomCounting Kind = 3
	BloomScalable Kind = 4
	BloomRotating Kind = 5
	BloomStatic   Kind = 6
	CMSSketch     Kind = 16
	CMSTopK       Kind = 17
	CMSTrending   Kind = 18
	CMSWindow     Kind = 19
	HLLSketch     Kind = 32
	HLLExaLogLog  Kind = 33
	HLLWindow     Kind = 34
	Ring          Kind = 48
	RingTable     Kind = 49
	MerkleTree    Kind = 64
	TlogLog       Kind = 65
	TlogFrontier  Kind = 66
	BlobDescr     Kind = 67
	GossipTable   Kind = 80
	LRUCache      Kind = 96
	LimitKeyed    Kind = 112
)

var kinds = map[Kind]string{
	BloomFilter:   "bloom.Filter",
	BloomClassic:  "bloom.Classic",
	BloomCounting: "bloom.Counting",
	BloomScalable: "bloom.Scalable",
	BloomRotating: "bloom.Rotating",
	BloomStatic:   "bloom.Static",
	CMSSketch:     "cms.Sketch",
	CMSTopK:       "cms.TopK",
	CMSTrending:   "cms.Trending",
	CMSWindow:     "cms.Window",
	HLLSketch:     "hll.Sketch",
	HLLExaLogLog:  "hll.ExaLogLog",
	HLLWindow:     "hll.Window",
	Ring:          "ring.Ring",
	RingTable:     "ring.Table",
	MerkleTree:    "merkle.Tree",
	TlogLog:       "tlog.Log",
	TlogFrontier:  "tlog.Frontier",
	BlobDescr:     "blob.Descriptor",
	GossipTable:   "gossip.Table",
	LRUCache:      "lru.Cache",
	LimitKeyed:    "ratelimit.Keyed",
}

// String returns the type's name, as in "bloom.Filter".
func (k Kind) String() string {
	if s, ok := kinds[k]; ok {
		return s
	}
	return fmt.Sprintf("kind %d", byte(k))
}

func (k Kind) pkg() string {
	pkg, _, _ := strings.Cut(k.String(), ".")
	return pkg
}
