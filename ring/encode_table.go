package ring

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// The layout of a table's image, version 0; package ring's comment describes it.
const (
	tableVersion = 0
	tableParams  = 5
	cellSize     = 2
)

var errZeroTable = errors.New("ring: a zero Table has no image: make it by NewTable")

// AppendBinary appends the image of t to b: its nodes, its placement and its
// version. It implements encoding.BinaryAppender; the error is nil but for a zero
// Table. A secret is not part of the image, a check value of it is.
func (t *Table) AppendBinary(b []byte) ([]byte, error) {
	if t.replicas == 0 {
		return b, errZeroTable
	}
	start := len(b)
	payload := t.payload()
	b = codec.AppendHeader(b, t.header(), len(payload))
	return codec.AppendSum(append(b, payload...), start), nil
}

// MarshalBinary returns the image of t, as AppendBinary does.
func (t *Table) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }

// WriteTo writes the image of t to w. Images concatenate.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	if t.replicas == 0 {
		return 0, errZeroTable
	}
	payload := t.payload()
	e, _ := codec.NewWriter(w, t.header(), len(payload)) // Close reports its error
	_ = e.Bytes(payload)
	return e.Close()
}

// MarshalText returns the image of t in base64, so that JSON can hold a table.
func (t *Table) MarshalText() ([]byte, error) {
	b, err := t.AppendBinary(nil)
	return codec.EncodeText(b), err
}

func (t *Table) header() codec.Header {
	return codec.Header{Kind: codec.RingTable, Version: tableVersion, Params: []uint64{
		uint64(t.Partitions()), uint64(t.replicas), t.version, hash64.Check(t.rest.cfg.secret), uint64(t.Len()),
	}}
}

func (t *Table) payload() []byte {
	b := appendNodes(nil, t.rest.nodes)
	for _, i := range t.cells {
		b = binary.LittleEndian.AppendUint16(b, i)
	}
	return b
}

// UnmarshalBinary makes t the table whose image data is; t's own secret stays, and
// must be the one that the image was made under, or the error is
// [ErrIncompatible]. All other failures are [ErrCorrupt], and leave t as it was.
// What is decoded keeps the zone rule; whether it is balanced is not checked, and
// the next Rebalance would make it so.
//
// It must not run while others use t.
func (t *Table) UnmarshalBinary(data []byte) error {
	h, payload, err := codec.Parse(data, codec.RingTable, tableVersion)
	if err != nil {
		return err
	}
	return t.decode(h, payload)
}

// UnmarshalText makes t the table that MarshalText returned as text, as
// UnmarshalBinary does.
func (t *Table) UnmarshalText(text []byte) error {
	image, err := codec.DecodeText(codec.RingTable, text)
	if err != nil {
		return err
	}
	return t.UnmarshalBinary(image)
}

// ReadFrom reads exactly one image from src and makes t its table, as
// UnmarshalBinary does, and no byte beyond it. At the end of src the error is
// [ErrCorrupt] and io.EOF, within an image ErrCorrupt and io.ErrUnexpectedEOF.
func (t *Table) ReadFrom(src io.Reader) (int64, error) {
	d, h, err := codec.NewReader(src, codec.RingTable, tableVersion)
	if err != nil {
		return d.Count(), err
	}
	payload, err := d.Bytes(nil)
	if err == nil {
		err = d.Close()
	}
	if err == nil {
		err = t.decode(h, payload)
	}
	return d.Count(), err
}

// decode makes t the table of a header and a payload whose checksum is right.
func (t *Table) decode(h codec.Header, payload []byte) error {
	if err := h.Check(0, tableParams, 0); err != nil {
		return err
	}
	partitions, replicas, version, check, count := h.Params[0], h.Params[1], h.Params[2], h.Params[3], h.Params[4]
	switch {
	case partitions < 1 || partitions > maxPartitions || partitions&(partitions-1) != 0:
		return codec.Corrupt(codec.RingTable, "partitions is %d, want a power of two up to %d", partitions, maxPartitions)
	case replicas < 1 || replicas > maxNodes:
		return codec.Corrupt(codec.RingTable, "replicas is %d, want 1 to %d", replicas, maxNodes)
	case version < 1:
		return codec.Corrupt(codec.RingTable, "version is 0, want at least 1")
	}
	if check != hash64.Check(t.rest.cfg.secret) {
		return codec.Incompatible("ring", "the image was made under another secret than the receiver's")
	}
	d := decoder{codec.RingTable, payload}
	nodes, err := d.nodes(count)
	if err != nil {
		return err
	}
	copies := min(int(replicas), len(nodes))
	if want := uint64(copies) * partitions * cellSize; want > maxReplicas*cellSize || want != uint64(len(d.rest)) {
		return codec.Corrupt(codec.RingTable, "%d bytes behind the nodes, want %d", len(d.rest), want)
	}
	c := config{partitions: int(partitions), secret: t.rest.cfg.secret}
	next := &Table{copies: copies, replicas: int(replicas), version: version, rest: *makeRendezvous(c, nodes)}
	if next.cells, err = d.cells(next); err != nil {
		return err
	}
	*t = *next
	return nil
}

// cells takes the nodes of all partitions of t, which must be in an order that
// the zone rule allows.
func (d *decoder) cells(t *Table) ([]uint16, error) {
	if t.copies == 0 {
		return nil, nil
	}
	cells := make([]uint16, len(d.rest)/cellSize)
	p := borrowPlaces(&t.rest.zones, t.Len())
	defer p.giveBack()
	for k := range cells {
		i := binary.LittleEndian.Uint16(d.rest[cellSize*k:])
		partition, place := k/t.copies, k%t.copies
		if place == 0 {
			p.reset()
		}
		if int(i) >= t.Len() {
			return nil, codec.Corrupt(d.kind, "partition %d is on node %d of %d", partition, i, t.Len())
		}
		if p.offer(int(i)) != place {
			return nil, codec.Corrupt(d.kind, "partition %d has %q twice or against the zone rule", partition, t.Node(int(i)).ID)
		}
		cells[k] = i
	}
	return cells, nil
}
