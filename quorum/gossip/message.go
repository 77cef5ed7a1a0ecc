package gossip

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/codec"
)

// Messages begin with a magic, their kind and the version of the layout.
const (
	magic       = "\xD1\x6Bg"
	kindDigest  = 'd'
	kindDelta   = 'e'
	layout      = 0
	messageHead = len(magic) + 2
	sumSize     = 8
)

// entry is a node in a delta.
type entry struct {
	name     string
	admin    Admin
	version  version
	suspects []string
}

// known is a node in a digest: what its sender has of it. Sum tells apart what
// is different under equal numbers.
type known struct {
	generation uint64
	version    version
	sum        uint32
}

// AppendDigest appends what the table has, in short: the message SYN. About 30
// bytes a node.
func (t *Table) AppendDigest(dst []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	start := len(dst)
	dst = appendHead(dst, kindDigest, len(t.nodes))
	for _, name := range t.names() {
		k := t.nodes[name].known()
		dst = appendText(dst, name)
		dst = binary.AppendUvarint(dst, k.generation)
		dst = appendVersion(dst, k.version)
		dst = binary.LittleEndian.AppendUint32(dst, k.sum)
	}
	return codec.AppendSum(dst, start)
}

func (n *node) known() known {
	b := n.admin.append(nil)
	for _, observer := range n.suspicion.observers() {
		b = appendText(b, observer)
	}
	return known{n.admin.Generation, n.version, uint32(xxhash.Sum64(b))}
}

// AppendDelta appends what the sender of the digest lacks: the messages ACK and
// ACK2. A digest that is damaged is ErrCorrupt, and dst comes back as it was.
func (t *Table) AppendDelta(dst, digest []byte) ([]byte, error) {
	theirs, err := parseDigest(digest)
	if err != nil {
		return dst, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var lacks []*node
	for _, name := range t.names() {
		n := t.nodes[name]
		ours, has := n.known(), theirs[name]
		if ours == (known{sum: ours.sum}) {
			continue // a name without news
		}
		if ours.generation > has.generation || ours.version.after(has.version) ||
			ours.sum != has.sum && ours.generation == has.generation && ours.version == has.version {
			lacks = append(lacks, n)
		}
	}
	start := len(dst)
	dst = appendHead(dst, kindDelta, len(lacks))
	for _, n := range lacks {
		dst = appendText(dst, n.name)
		dst = n.admin.append(dst)
		dst = appendVersion(dst, n.version)
		observers := n.suspicion.observers()
		dst = binary.AppendUvarint(dst, uint64(len(observers)))
		for _, observer := range observers {
			dst = appendText(dst, observer)
		}
	}
	return codec.AppendSum(dst, start), nil
}

// append writes the administrative half.
func (a Admin) append(b []byte) []byte {
	b = append(b, byte(a.Status))
	b = binary.AppendUvarint(b, a.Generation)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(a.Weight))
	return appendText(b, a.Zone)
}

// greater settles two decisions of one generation, the same way everywhere.
func greater(a, b Admin) bool { return bytes.Compare(a.append(nil), b.append(nil)) > 0 }

func appendHead(b []byte, kind byte, entries int) []byte {
	b = append(append(b, magic...), kind, layout)
	return binary.AppendUvarint(b, uint64(entries))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendVersion(b []byte, v version) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, v.incarnation), v.heartbeat)
}

func parseDigest(data []byte) (map[string]known, error) {
	c, n := openMessage(data, kindDigest)
	out := make(map[string]known)
	last := ""
	for range n {
		name := c.next(last)
		k := known{generation: c.uvarint(), version: c.version()}
		if b := c.take(4); c.err == nil {
			k.sum = binary.LittleEndian.Uint32(b)
			out[name] = k
		}
		if c.err != nil {
			break
		}
		last = name
	}
	return out, c.close()
}

func parseDelta(data []byte) ([]entry, error) {
	c, n := openMessage(data, kindDelta)
	var out []entry
	last := ""
	for range n {
		e := entry{name: c.next(last)}
		e.admin = c.admin()
		e.version = c.version()
		observers, before := c.uvarint(), ""
		for range observers {
			if before = c.next(before); c.err != nil {
				break
			}
			e.suspects = append(e.suspects, before)
		}
		if c.err != nil {
			break
		}
		out = append(out, e)
		last = e.name
	}
	return out, c.close()
}

// openMessage checks the frame of a message and returns its body and the number
// of its entries.
func openMessage(data []byte, kind byte) (*cursor, uint64) {
	c := new(cursor)
	switch {
	case len(data) < messageHead+1+sumSize:
		c.fail("%d bytes, want at least %d", len(data), messageHead+1+sumSize)
	case string(data[:len(magic)]) != magic || data[len(magic)] != kind:
		c.fail("begins with %q, want %q", data[:len(magic)+1], magic+string(kind))
	case data[len(magic)+1] != layout:
		c.fail("version is %d, want %d", data[len(magic)+1], layout)
	}
	if c.err != nil {
		return c, 0
	}
	body := data[:len(data)-sumSize]
	if got, want := xxhash.Sum64(body), binary.LittleEndian.Uint64(data[len(body):]); got != want {
		c.fail("checksum is %016x, want %016x", got, want)
		return c, 0
	}
	c.rest = body[messageHead:]
	return c, c.uvarint()
}

// cursor reads fields until the first that is bad.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = codec.Corrupt(codec.GossipTable, format, args...)
	}
}

// close reports the first error, or that something is left.
func (c *cursor) close() error {
	if len(c.rest) > 0 {
		c.fail("%d bytes after the last entry", len(c.rest))
	}
	return c.err
}

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail("%d bytes are left, want %d", len(c.rest), n)
		c.rest = nil
	}
	if c.err != nil {
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

// uvarint reads a number in its shortest form.
func (c *cursor) uvarint() uint64 {
	if c.err != nil {
		return 0
	}
	x, n := binary.Uvarint(c.rest)
	if n <= 0 || n > 1 && c.rest[n-1] == 0 {
		c.fail("number is cut short or not in its shortest form")
		return 0
	}
	c.rest = c.rest[n:]
	return x
}

func (c *cursor) text(limit int) string {
	n := c.uvarint()
	if n > uint64(limit) {
		c.fail("text of %d bytes, want at most %d", n, limit)
	}
	return string(c.take(n))
}

// next reads a name that must come after the last one.
func (c *cursor) next(last string) string {
	name := c.text(maxName)
	if name <= last {
		c.fail("name %q after %q, want them in order", name, last)
	}
	return name
}

func (c *cursor) version() version {
	v := version{c.uvarint(), c.uvarint()}
	if v.incarnation == 0 && v.heartbeat > 0 {
		c.fail("heartbeat is %d in no incarnation", v.heartbeat)
	}
	return v
}

func (c *cursor) admin() (a Admin) {
	if b := c.take(1); c.err == nil {
		a.Status = Status(b[0])
	}
	a.Generation = c.uvarint()
	if b := c.take(8); c.err == nil {
		a.Weight = math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	a.Zone = c.text(maxZone)
	switch {
	case a.Status > Left:
		c.fail("status is %d, want at most %d", a.Status, Left)
	case a.Status == Unknown && a != Admin{}:
		c.fail("node has a weight, a zone or a generation and no status")
	case a.Status != Unknown && (a.Generation == 0 || !(a.Weight > 0) || math.IsInf(a.Weight, 1)):
		c.fail("weight is %g in generation %d, want both > 0", a.Weight, a.Generation)
	}
	return a
}
