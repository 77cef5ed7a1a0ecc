package ring

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// The layout of a ring's image, version 0; package ring's comment describes it.
const (
	imageVersion  = 0
	imageForeign  = 1 << 0 // must-flag: the tokens follow the nodes
	imageParams   = 4
	tokenSize     = 6             // the low 16 bits are ones
	leastNodeSize = 1 + 1 + 1 + 8 // an ID of one byte, no zone, a weight
)

// What a decoder makes of one image: tokens cost memory that the image need not
// hold, so a small one must not ask for more than this. Variables, as a fuzzer takes
// what lasts ten seconds for a failure.
var (
	decodedTokens        = 1 << 22
	decodedTokensPerNode = 1 << 12
)

// AppendBinary appends the image of r to b: its nodes and options, and its
// tokens if they come from a function. It implements encoding.BinaryAppender;
// the error is always nil. A secret is not part of the image, a check value of
// it is.
func (r *Ring) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	payload := r.payload()
	b = codec.AppendHeader(b, r.header(), len(payload))
	return codec.AppendSum(append(b, payload...), start), nil
}

// MarshalBinary returns the image of r, as AppendBinary does.
func (r *Ring) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }

// WriteTo writes the image of r to w. Images concatenate.
func (r *Ring) WriteTo(w io.Writer) (int64, error) {
	payload := r.payload()
	e, _ := codec.NewWriter(w, r.header(), len(payload)) // Close reports its error
	_ = e.Bytes(payload)
	return e.Close()
}

// MarshalText returns the image of r in base64, so that JSON can hold a ring.
func (r *Ring) MarshalText() ([]byte, error) {
	b, err := r.AppendBinary(nil)
	return codec.EncodeText(b), err
}

func (r *Ring) header() codec.Header {
	h := codec.Header{Kind: codec.Ring, Version: imageVersion, Params: []uint64{
		uint64(r.cfg.virtual), math.Float64bits(r.cfg.tolerance), hash64.Check(r.cfg.secret), uint64(len(r.nodes)),
	}}
	if r.cfg.virtual == 0 {
		h.Params[0] = defaultVirtualNodes // a zero Ring goes for an empty one
	}
	if r.cfg.set&setTokens != 0 {
		h.Must = imageForeign
	}
	return h
}

func (r *Ring) payload() []byte {
	b := appendNodes(nil, r.nodes)
	if r.cfg.set&setTokens == 0 {
		return b
	}
	of := make([][]uint64, len(r.nodes))
	for _, p := range r.idx.tokens() {
		of[p&nodeMask] = append(of[p&nodeMask], p)
	}
	for _, points := range of {
		b = binary.AppendUvarint(b, uint64(len(points)))
		for _, p := range points {
			b = append(b, byte(p>>16), byte(p>>24), byte(p>>32), byte(p>>40), byte(p>>48), byte(p>>56))
		}
	}
	return b
}

func appendNodes(b []byte, nodes []Node) []byte {
	for _, n := range nodes {
		b = append(binary.AppendUvarint(b, uint64(len(n.ID))), n.ID...)
		b = append(binary.AppendUvarint(b, uint64(len(n.Zone))), n.Zone...)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(n.Weight))
	}
	return b
}

// UnmarshalBinary makes r the ring whose image data is; r's own secret stays, and
// must be the one that the image was made under, or the error is
// [ErrIncompatible]. So is it for an image that stands for more tokens than
// 4,194,304 and 4,096 for each node together, so that a small image cannot ask
// for much memory. All other failures are [ErrCorrupt]. After any error r is as
// it was.
//
// It takes as long as New does: at that limit a second, and with a tolerance, which
// is searched for, up to a minute, however short the image. Take images only from
// those who may ask for that.
//
// Tokens from a function come with the image; to change such a ring, let the
// receiver be made WithTokens, for the function does not.
//
// It must not run while others use r.
func (r *Ring) UnmarshalBinary(data []byte) error {
	h, payload, err := codec.Parse(data, codec.Ring, imageVersion)
	if err != nil {
		return err
	}
	return r.decode(h, payload)
}

// UnmarshalText makes r the ring that MarshalText returned as text, as
// UnmarshalBinary does.
func (r *Ring) UnmarshalText(text []byte) error {
	image, err := codec.DecodeText(codec.Ring, text)
	if err != nil {
		return err
	}
	return r.UnmarshalBinary(image)
}

// ReadFrom reads exactly one image from src and makes r its ring, as
// UnmarshalBinary does, and no byte beyond it. At the end of src the error is
// [ErrCorrupt] and io.EOF, within an image ErrCorrupt and io.ErrUnexpectedEOF.
func (r *Ring) ReadFrom(src io.Reader) (int64, error) {
	d, h, err := codec.NewReader(src, codec.Ring, imageVersion)
	if err != nil {
		return d.Count(), err
	}
	payload, err := d.Bytes(nil)
	if err == nil {
		err = d.Close()
	}
	if err == nil {
		err = r.decode(h, payload)
	}
	return d.Count(), err
}

// decode makes r the ring of a header and a payload whose checksum is right.
func (r *Ring) decode(h codec.Header, payload []byte) error {
	if err := h.Check(imageForeign, imageParams, 0); err != nil {
		return err
	}
	virtual, tolerance, check, count := h.Params[0], math.Float64frombits(h.Params[1]), h.Params[2], h.Params[3]
	switch {
	case virtual < 1 || virtual > maxTokens:
		return codec.Corrupt(codec.Ring, "virtual nodes is %d, want 1 to %d", virtual, maxTokens)
	case h.Params[1] != 0 && !(tolerance > 0 && tolerance < 1):
		return codec.Corrupt(codec.Ring, "tolerance is %g, want 0 < eps < 1, or 0 for none", tolerance)
	}
	if check != hash64.Check(r.cfg.secret) {
		return codec.Incompatible("ring", "the image was made under another secret than the receiver's")
	}
	c := config{virtual: int(virtual), tolerance: tolerance, secret: r.cfg.secret}
	if h.Params[1] != 0 {
		c.set |= setTolerance
	}
	d := decoder{codec.Ring, payload}
	nodes, err := d.nodes(count)
	if err != nil {
		return err
	}
	var next *Ring
	if h.Must&imageForeign != 0 {
		c.set |= setTokens
		c.tokens = r.cfg.tokens
		next, err = d.foreign(c, nodes)
	} else {
		next, err = d.native(c, nodes)
	}
	if err != nil {
		return err
	}
	*r = *next
	return nil
}

// decoder takes the payload of an image of that kind apart.
type decoder struct {
	kind codec.Kind
	rest []byte
}

func (d *decoder) nodes(count uint64) ([]Node, error) {
	if count > maxNodes || count*leastNodeSize > uint64(len(d.rest)) {
		return nil, codec.Corrupt(d.kind, "%d nodes in %d bytes", count, len(d.rest))
	}
	nodes := make([]Node, 0, count)
	for i := range count {
		id, ok := d.text()
		zone, zoneOK := d.text()
		if !ok || !zoneOK || len(d.rest) < 8 {
			return nil, codec.Corrupt(d.kind, "node %d is cut short", i)
		}
		weight := math.Float64frombits(binary.LittleEndian.Uint64(d.rest))
		d.rest = d.rest[8:]
		if id == "" || i > 0 && id <= nodes[i-1].ID {
			return nil, codec.Corrupt(d.kind, "ID %d is %q, want them ascending and not empty", i, id)
		}
		if !(weight > 0) || math.IsInf(weight, 1) {
			return nil, codec.Corrupt(d.kind, "weight of %q is %g, want a finite number > 0", id, weight)
		}
		nodes = append(nodes, Node{ID: id, Weight: weight, Zone: zone})
	}
	return nodes, nil
}

// native returns the ring of nodes whose tokens are this package's own.
func (d *decoder) native(c config, nodes []Node) (*Ring, error) {
	if len(d.rest) != 0 {
		return nil, codec.Corrupt(codec.Ring, "%d bytes behind the nodes", len(d.rest))
	}
	sum := 0.0
	for _, n := range nodes {
		sum += c.count(n.Weight)
	}
	if limit := min(maxTokens, decodedTokens+decodedTokensPerNode*len(nodes)); sum > float64(limit) {
		return nil, codec.Incompatible("ring", "the image stands for %g tokens, want at most %d for %d nodes", sum, limit, len(nodes))
	}
	return build(c, nodes)
}

// foreign returns the ring of nodes whose tokens the payload holds.
func (d *decoder) foreign(c config, nodes []Node) (*Ring, error) {
	points := make([]uint64, 0, min(maxTokens, len(d.rest)/tokenSize))
	for i, n := range nodes {
		count, ok := d.uvarint()
		switch {
		case ok && count > uint64(maxTokens-len(points)):
			return nil, codec.Corrupt(codec.Ring, "more than %d tokens", maxTokens)
		case !ok || count < 1 || count > uint64(len(d.rest)/tokenSize):
			return nil, codec.Corrupt(codec.Ring, "tokens of %q are cut short", n.ID)
		}
		last := uint64(0)
		for range count {
			t := uint64(binary.LittleEndian.Uint32(d.rest))<<16 | uint64(binary.LittleEndian.Uint16(d.rest[4:]))<<48
			if t < last {
				return nil, codec.Corrupt(codec.Ring, "tokens of %q do not ascend", n.ID)
			}
			last = t
			points = append(points, t|uint64(i))
			d.rest = d.rest[tokenSize:]
		}
	}
	if len(d.rest) != 0 {
		return nil, codec.Corrupt(codec.Ring, "%d bytes behind the tokens", len(d.rest))
	}
	return assemble(c, nodes, sortPoints(points)), nil
}

// uvarint takes an unsigned varint of the shortest form.
func (d *decoder) uvarint() (uint64, bool) {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || n > 1 && d.rest[n-1] == 0 {
		return 0, false
	}
	d.rest = d.rest[n:]
	return v, true
}

// text takes a length and as many bytes.
func (d *decoder) text() (string, bool) {
	n, ok := d.uvarint()
	if !ok || n > uint64(len(d.rest)) {
		return "", false
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s, true
}
