package ring_test

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
)

// Envoy and gRPC: the host of a key is that of the first XXH64("host_i") at or
// after the key's XXH64.
func TestEnvoyTokens(t *testing.T) {
	const count = 100
	hosts := []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"}
	type point struct {
		hash uint64
		host string
	}
	var points []point
	for _, host := range hosts {
		for i := range count {
			points = append(points, point{hash64.String(fmt.Sprintf("%s_%d", host, i)), host})
		}
	}
	slices.SortFunc(points, func(a, b point) int {
		if a.hash < b.hash {
			return -1
		}
		return 1
	})
	r := mustNew(t, ring.Nodes(hosts...), ring.WithVirtualNodes(count), ring.WithTokens(ring.EnvoyTokens))
	own := mustNew(t, ring.Nodes(hosts...), ring.WithVirtualNodes(count), ring.WithTokens(
		func(dst []uint64, n ring.Node, count int) []uint64 {
			for i := range count {
				dst = append(dst, hash64.String(n.ID+"_"+fmt.Sprint(i)))
			}
			return dst
		}))
	assert.Equal(t, own.Fingerprint(), r.Fingerprint())
	for i := range 5000 {
		key := fmt.Sprint("/path/", i)
		h := hash64.String(key)
		at := slices.IndexFunc(points, func(p point) bool { return p.hash >= h })
		id, _ := r.OwnerString(key)
		assert.Equal(t, points[max(at, 0)].host, id)
	}
}

// libketama: four little-endian words of MD5("host-k"); a key's point is the
// first such word of its own MD5.
func TestKetamaTokens(t *testing.T) {
	hosts := []string{"10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211", "10.0.1.4:11211"}
	const count = 160
	owner := map[uint32]string{}
	var points []uint32
	for _, host := range slices.Backward(hosts) { // the lower ID overwrites
		for k := range count / 4 {
			sum := md5.Sum(fmt.Appendf(nil, "%s-%d", host, k))
			for w := range 4 {
				p := binary.LittleEndian.Uint32(sum[4*w:])
				owner[p] = host
				points = append(points, p)
			}
		}
	}
	slices.Sort(points)
	r := mustNew(t, ring.Nodes(hosts...), ring.WithVirtualNodes(count), ring.WithTokens(ring.KetamaTokens))
	rng := rand.New(rand.NewPCG(1, 19))
	for i := range 5000 {
		p := rng.Uint32()
		if i%3 == 0 {
			p = points[rng.IntN(len(points))]
		}
		at, _ := slices.BinarySearch(points, p)
		id, _ := r.OwnerHash(uint64(p) << 32)
		assert.Equal(t, owner[points[at%len(points)]], id)
	}
	// The first points of a server, computed by the reference's formula.
	assert.Equal(t, []uint64{
		uint64(binary.LittleEndian.Uint32(md5sum("10.0.1.1:11211-0")[0:])) << 32,
		uint64(binary.LittleEndian.Uint32(md5sum("10.0.1.1:11211-0")[4:])) << 32,
		uint64(binary.LittleEndian.Uint32(md5sum("10.0.1.1:11211-0")[8:])) << 32,
		uint64(binary.LittleEndian.Uint32(md5sum("10.0.1.1:11211-0")[12:])) << 32,
		uint64(binary.LittleEndian.Uint32(md5sum("10.0.1.1:11211-1")[0:])) << 32,
	}, ring.KetamaTokens(nil, ring.Node{ID: "10.0.1.1:11211"}, 5))
}

func md5sum(s string) []byte {
	sum := md5.Sum([]byte(s))
	return sum[:]
}

// A larger weight begins with the tokens of a smaller one.
func TestTokensArePrefixes(t *testing.T) {
	for name, f := range map[string]func([]uint64, ring.Node, int) []uint64{"Envoy": ring.EnvoyTokens, "Ketama": ring.KetamaTokens} {
		n := ring.Node{ID: "a"}
		long := f([]uint64{7}, n, 50)
		for count := range 50 {
			assert.Equal(t, long[:1+count], f([]uint64{7}, n, count), name)
		}
	}
}
