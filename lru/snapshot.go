package lru

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

// ErrCorrupt and ErrIncompatible are the values that all packages of distkit share.
var (
	// ErrCorrupt says that bytes are no image of a cache.
	ErrCorrupt = codec.ErrCorrupt
	// ErrIncompatible says that a sound image is not for this cache: of other types,
	// or with weights for one that has no weigher.
	ErrIncompatible = codec.ErrIncompatible
)

const (
	imageVersion = 0

	// Flags that a reader must understand.
	flagWeighted = 1 << 0 // the capacity is a weight
	flagTimed    = 1 << 1 // entries have deadlines
	flagSliding  = 1 << 2 // and lifetimes that a hit restarts

	// Parameters.
	paramPolicy   = 0
	paramCapacity = 1
	paramEntries  = 2
	paramPinned   = 3 // how many of the entries, the last ones, have weight 0
	paramTypes    = 4 // typeCodes of keys and, shifted by 8, of values
	imageParams   = 5
)

// WriteTo writes an image of the entries in the order of All, with the time that
// they have left and what the policy knows of them, and returns its length. What
// has ended is left out. Keys and values must be numbers, bool, strings, []byte or
// of types with MarshalBinary or AppendBinary, and UnmarshalBinary; those methods
// are called twice for each value. Memory does not grow with the image.
func (c *Cache[K, V]) WriteTo(w io.Writer) (int64, error) {
	e, err := newEncoder(c)
	if err != nil {
		return 0, err
	}
	payload := 0
	if err := e.each(func(b []byte) error { payload += len(b); return nil }); err != nil {
		return 0, err
	}
	out, err := codec.NewWriter(w, e.header, payload)
	if err == nil {
		err = e.each(out.Bytes)
	}
	n, err2 := out.Close()
	return n, cmp.Or(err, err2)
}

// encoder writes the entries of a cache at one moment.
type encoder[K comparable, V any] struct {
	c      *Cache[K, V]
	now    int64
	header codec.Header
	keys   coder[K]
	values coder[V]
}

func newEncoder[K comparable, V any](c *Cache[K, V]) (*encoder[K, V], error) {
	if c.capacity == 0 {
		return nil, errors.New("lru: zero Cache has nothing to encode, make one with New")
	}
	keys, err := newCoder[K]("type of keys")
	if err != nil {
		return nil, err
	}
	values, err := newCoder[V]("type of values")
	if err != nil {
		return nil, err
	}
	e := &encoder[K, V]{c: c, keys: keys, values: values, header: codec.Header{Kind: codec.LRUCache, Version: imageVersion}}
	if c.weigher != nil {
		e.header.Must |= flagWeighted
	}
	if c.life.wheel != nil {
		e.now = c.life.clock.now()
	}
	entries, pins := uint64(0), uint64(0)
	c.walk(false, func(i uint32) bool {
		if c.dead(i, e.now) {
			return true
		}
		entries++
		if c.isPinned(i) {
			pins++
		}
		if c.life.wheel != nil && c.life.wheel.deadlines[i] != never {
			e.header.Must |= flagTimed
		}
		return true
	})
	if e.header.Must&flagTimed != 0 && c.life.sliding {
		e.header.Must |= flagSliding
	}
	e.header.Params = []uint64{
		uint64(c.policy), c.capacity, entries, pins, uint64(keys.code) | uint64(values.code)<<8,
	}
	return e, nil
}

// each calls write with the bytes of all entries, some at a time.
func (e *encoder[K, V]) each(write func([]byte) error) (err error) {
	const batch = 32 << 10
	var b []byte
	e.c.walk(false, func(i uint32) bool {
		if e.c.dead(i, e.now) {
			return true
		}
		if b, err = e.entry(b, i); err == nil && len(b) >= batch {
			err = write(b)
			b = b[:0]
		}
		return err == nil
	})
	if err == nil {
		err = write(b)
	}
	return err
}

func (e *encoder[K, V]) entry(b []byte, i uint32) ([]byte, error) {
	c := e.c
	n := &c.nodes[i]
	b, err := e.keys.append(b, &n.key)
	if err != nil {
		return nil, err
	}
	if b, err = e.values.append(b, &n.value); err != nil {
		return nil, err
	}
	if e.header.Must&flagTimed != 0 {
		b = binary.LittleEndian.AppendUint64(b, uint64(c.remaining(i, e.now)))
	}
	if e.header.Must&flagSliding != 0 {
		b = binary.LittleEndian.AppendUint64(b, uint64(c.life.restarts[i]))
	}
	if c.chooser != nil && !c.isPinned(i) {
		b = binary.AppendUvarint(b, c.chooser.note(i))
	}
	return b, nil
}

// ReadFrom replaces the entries by those of an image, and returns how many bytes
// it read: one image and no more. Capacity, policy and options are those that New
// was given; of more entries than fit, it keeps those that the policy would evict
// last. Lifetimes go on from now; where the image has none, those of WithTTL and
// WithExpiry begin. Under another policy than the image's, entries enter in their
// order. Entries that were there leave as Cleared. A zero Cache takes capacity and
// policy from the image.
//
// The error is ErrCorrupt or ErrIncompatible, or that of the reader, and then
// nothing has changed.
func (c *Cache[K, V]) ReadFrom(r io.Reader) (int64, error) {
	in, h, err := codec.NewReader(r, codec.LRUCache, imageVersion)
	if err != nil {
		return in.Count(), err
	}
	payload, err := in.Bytes(nil)
	if err == nil {
		err = in.Close()
	}
	if err == nil {
		err = c.restore(h, payload)
	}
	return in.Count(), err
}

// decoder reads the entries of an image.
type decoder[K comparable, V any] struct {
	policy                  Policy
	capacity, entries, pins uint64
	flags                   byte
	keys                    coder[K]
	values                  coder[V]
}

// newDecoder checks the header of an image for c.
func newDecoder[K comparable, V any](c *Cache[K, V], h codec.Header, payload int) (*decoder[K, V], error) {
	if err := h.Check(flagWeighted|flagTimed|flagSliding, imageParams, 0); err != nil {
		return nil, err
	}
	p := h.Params
	d := &decoder[K, V]{policy: Policy(p[paramPolicy]), capacity: p[paramCapacity], entries: p[paramEntries], pins: p[paramPinned], flags: h.Must}
	weighted := h.Must&flagWeighted != 0
	switch {
	case p[paramPolicy] >= uint64(len(policyNames)):
		return nil, errEntry("policy is %d, want less than %d", p[paramPolicy], len(policyNames))
	case d.capacity == 0:
		return nil, errEntry("capacity is 0")
	case d.entries > uint64(payload)/2: // a byte for key and value each
		return nil, errEntry("%d entries in %d bytes", d.entries, payload)
	case d.pins > d.entries || d.pins > 0 && !weighted:
		return nil, errEntry("%d pinned entries of %d", d.pins, d.entries)
	case !weighted && d.entries > d.capacity:
		return nil, errEntry("%d entries in a cache of %d", d.entries, d.capacity)
	case h.Must&flagSliding != 0 && h.Must&flagTimed == 0:
		return nil, errEntry("lifetimes without deadlines")
	case p[paramTypes]>>16 != 0:
		return nil, errEntry("types are %#x, want two bytes", p[paramTypes])
	case c.capacity == 0 && weighted:
		return nil, codec.Incompatible("lru", "image has weights, zero Cache has no weigher")
	case c.capacity == 0 && d.capacity > math.MaxInt:
		return nil, codec.Incompatible("lru", "image has a capacity of %d, which is more than an int of this machine holds", d.capacity)
	}
	var err error
	if d.keys, err = newCoder[K]("type of keys"); err != nil {
		return nil, err
	}
	if d.values, err = newCoder[V]("type of values"); err != nil {
		return nil, err
	}
	if keys, values := typeCode(p[paramTypes]), typeCode(p[paramTypes]>>8); keys != d.keys.code || values != d.values.code {
		return nil, codec.Incompatible("lru", "image is of %v to %v, cache of %v to %v", keys, values, d.keys.code, d.values.code)
	}
	return d, nil
}

// restore makes the entries of c those of the payload, or changes nothing.
func (c *Cache[K, V]) restore(h codec.Header, payload []byte) error {
	d, err := newDecoder(c, h, len(payload))
	if err != nil {
		return err
	}
	before, done := *c, false
	defer func() {
		if !done { // a function of the user may have panicked
			*c = before
		}
	}()
	if c.capacity == 0 {
		fresh, err := New[K, V](int(d.capacity), WithPolicy(d.policy))
		if err != nil {
			return errEntry("%w", err)
		}
		*c = *fresh
	}
	c.onEvict = nil
	now := c.life.clock.now()
	if err := c.load(d, now, payload); err != nil {
		return err
	}
	if len(c.nodes) > 2*c.Len()+groupSize { // most of the image was too much
		if err := c.repack(now); err != nil {
			return err
		}
	}
	c.stats, c.onEvict, c.cursors = before.stats, before.onEvict, before.cursors
	done = true
	c.replaced(&before)
	return nil
}

// repack gives memory back that the entries do not need.
func (c *Cache[K, V]) repack(now int64) error {
	e, err := newEncoder(c)
	if err != nil {
		return err
	}
	e.now = now
	e.header.Must |= flagTimed // what does not end gets no lifetime by this
	if c.life.wheel != nil && c.life.sliding {
		e.header.Must |= flagSliding
	}
	var payload []byte
	if err := e.each(func(b []byte) error { payload = append(payload, b...); return nil }); err != nil {
		return err
	}
	smaller, err := newDecoder(c, e.header, len(payload))
	if err != nil {
		return err
	}
	return c.load(smaller, now, payload)
}

// replaced tells iterations and the callback that the entries of before are gone.
func (c *Cache[K, V]) replaced(before *Cache[K, V]) {
	for cur := c.cursors; cur != nil; cur = cur.outer {
		cur.at = cur.list
	}
	if c.onEvict == nil || before.capacity == 0 {
		return
	}
	before.walk(false, func(i uint32) bool {
		n := &before.nodes[i]
		c.left = append(c.left, departure[K, V]{n.key, n.value, Cleared})
		return true
	})
	c.report()
}

// load begins anew with the entries of a payload, and lets the policy evict those
// that are too many.
func (c *Cache[K, V]) load(d *decoder[K, V], now int64, payload []byte) (err error) {
	capacity := c.capacity
	if c.weigher == nil {
		c.capacity = max(capacity, d.entries) // what there is room for until then
	}
	c.begin()
	for at := range d.entries {
		if payload, err = c.loadEntry(d, now, payload, at); err != nil {
			return err
		}
	}
	if len(payload) > 0 {
		return errEntry("%d bytes after the last entry", len(payload))
	}
	c.capacity = capacity
	if c.chooser != nil {
		c.chooser.resize(capacity)
	}
	c.makeRoom(now, 0, none)
	return nil
}

// record is an entry of an image.
type record[K comparable, V any] struct {
	key   K
	value V
	left  time.Duration // never without a deadline
	life  time.Duration
	note  uint64
	noted bool
}

// next takes the entry of that number from b.
func (d *decoder[K, V]) next(b []byte, at uint64) (r record[K, V], rest []byte, err error) {
	if b, err = d.keys.take(b, &r.key); err != nil {
		return r, nil, err
	}
	if b, err = d.values.take(b, &r.value); err != nil {
		return r, nil, err
	}
	r.left = never
	if d.flags&flagTimed != 0 {
		if r.left, b, err = takeDuration(b, 1); err != nil {
			return r, nil, err
		}
	}
	if d.flags&flagSliding != 0 {
		if r.life, b, err = takeDuration(b, 0); err != nil {
			return r, nil, err
		}
	}
	if r.noted = !d.policy.isQueue() && at < d.entries-d.pins; r.noted {
		r.note, b, err = takeUvarint(b)
	}
	return r, b, err
}

// loadEntry takes the entry of that number from b and puts it behind those before.
func (c *Cache[K, V]) loadEntry(d *decoder[K, V], now int64, b []byte, at uint64) (rest []byte, err error) {
	r, b, err := d.next(b, at)
	if err != nil {
		return nil, err
	}
	place := c.hash.place(c.hash.sum(r.key))
	if c.find(place, r.key) != none {
		return nil, errEntry("key of entry %d was there before", at)
	}
	w := uint32(1)
	if c.weigher != nil {
		w = c.weigher(r.key, r.value)
	}
	if d.flags&flagTimed == 0 {
		if life := c.life.lifetime(r.key, r.value, 0); life != 0 {
			r.left, r.life = time.Duration(c.life.deadline(0, life)), life
		}
	}
	if r.left < 0 || uint64(w) > c.capacity || c.crowded() {
		return b, nil
	}
	i := c.hold(place, r.key, r.value, w)
	switch {
	case !r.noted || d.policy != c.policy || c.isPinned(i):
		c.enter(i, place)
	case !c.chooser.restore(i, r.note):
		return nil, errEntry("%v says %d of entry %d", d.policy, r.note, at)
	}
	c.goOn(i, now, later(now, r.left), r.life)
	return b, nil
}

func takeDuration(b []byte, least time.Duration) (time.Duration, []byte, error) {
	if len(b) < 8 {
		return 0, nil, errEntry("duration is cut short")
	}
	d := time.Duration(binary.LittleEndian.Uint64(b))
	if d < least {
		return 0, nil, errEntry("duration is %d ns, want at least %d", d, least)
	}
	return d, b[8:], nil
}
