package vclock

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MarshalJSON returns the clock as a JSON object of its counters, ascending by
// id: {"a":1,"b":2}. Equal clocks have equal bytes. JSON is text, so an id that
// is not UTF-8 is refused, and so is what [Clock.AppendBinary] refuses. Readers
// whose numbers are floats, JavaScript among them, are exact up to 2^53.
func (c Clock) MarshalJSON() ([]byte, error) {
	if err := c.fits(); err != nil {
		return nil, err
	}
	for id := range c.All() {
		if !utf8.ValidString(id) {
			return nil, fmt.Errorf("vclock: id %s is not UTF-8, which JSON cannot hold", brief(id))
		}
	}
	return c.appendObject(nil, ","), nil
}

// appendObject appends the clock as a JSON object, if its ids are UTF-8.
func (c Clock) appendObject(b []byte, comma string) []byte {
	b = append(b, '{')
	start := len(b)
	for id, n := range c.All() {
		if len(b) > start {
			b = append(b, comma...)
		}
		b = appendQuoted(b, id)
		b = append(b, ':')
		b = strconv.AppendUint(b, n, 10)
	}
	return append(b, '}')
}

// UnmarshalJSON sets c to the clock of a JSON object of counters, in any order
// and with any white space, as other tools write them; null changes nothing, as
// everywhere in encoding/json. Counters are integers in plain digits from 0 to
// 2^62; an id with counter 0 counts as absent. A JSON string is taken as a token
// of [Clock.MarshalText], as in maps with clocks for keys. An id that occurs
// twice, is longer than 1024 bytes or is not Unicode, and a clock of more than
// 64 KiB, are [ErrCorrupt] and leave c as it was.
func (c *Clock) UnmarshalJSON(data []byte) error {
	r := jsonReader{data: data}
	r.space()
	switch rest := data[r.i:]; {
	case string(rest) == "null":
		return nil
	case len(rest) > 0 && rest[0] == '"':
		return c.unmarshalToken(&r)
	}
	dots, err := r.object()
	if err != nil {
		return err
	}
	made, err := Make(dots...)
	if err != nil {
		return corrupt("%w", err)
	}
	*c = made
	return nil
}

// unmarshalToken reads a key of a map: encoding/json writes those by MarshalText
// and yet reads them by UnmarshalJSON.
func (c *Clock) unmarshalToken(r *jsonReader) error {
	text, err := r.str()
	if err != nil {
		return err
	}
	if r.space(); r.i != len(r.data) {
		return corrupt("JSON clock goes on after its end, at byte %d", r.i)
	}
	return c.UnmarshalText([]byte(text))
}

// appendQuoted appends id as a JSON string. Bytes that are not UTF-8 become \x
// escapes, which JSON does not know: for people's eyes only.
func appendQuoted(b []byte, id string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(id); {
		r, size := utf8.DecodeRuneInString(id[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, '\\', 'x', hex[id[i]>>4], hex[id[i]&15])
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = append(b, id[i:i+size]...)
		}
		i += size
	}
	return append(b, '"')
}

// jsonReader reads one JSON object whose values are counters. encoding/json
// would let two spellings of one id pass and repair broken Unicode in silence.
type jsonReader struct {
	data []byte
	i    int
}

func (r *jsonReader) space() {
	for r.i < len(r.data) {
		switch r.data[r.i] {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return
		}
	}
}

// take skips white space and reports whether b comes next, and skips it.
func (r *jsonReader) take(b byte) bool {
	r.space()
	if r.i < len(r.data) && r.data[r.i] == b {
		r.i++
		return true
	}
	return false
}

func (r *jsonReader) object() ([]Dot, error) {
	var dots []Dot
	seen := make(map[string]bool) // zero counters too: Make does not see them
	if !r.take('{') {
		return nil, corrupt("JSON clock is no object")
	}
	for !r.take('}') {
		if len(dots) > 0 && !r.take(',') {
			return nil, corrupt("JSON clock wants , or } at byte %d", r.i)
		}
		id, err := r.str()
		if err != nil {
			return nil, err
		}
		if seen[id] {
			return nil, corrupt("id %s occurs twice, want once", brief(id))
		}
		seen[id] = true
		if !r.take(':') {
			return nil, corrupt("JSON clock wants : at byte %d", r.i)
		}
		n, err := r.counter(id)
		if err != nil {
			return nil, err
		}
		dots = append(dots, Dot{id, n})
	}
	if r.space(); r.i != len(r.data) {
		return nil, corrupt("JSON clock goes on after its end, at byte %d", r.i)
	}
	return dots, nil
}

func (r *jsonReader) counter(id string) (uint64, error) {
	r.space()
	start := r.i
	for r.i < len(r.data) && r.data[r.i] >= '0' && r.data[r.i] <= '9' {
		r.i++
	}
	digits := r.data[start:r.i]
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil || n > maxCounter || len(digits) > 1 && digits[0] == '0' {
		return 0, corrupt("counter of %s is no integer from 0 to 2^62", brief(id))
	}
	return n, nil
}

// str reads a string. It must be Unicode: UTF-8, and no half of a surrogate
// pair, for which there are no bytes.
func (r *jsonReader) str() (string, error) {
	if !r.take('"') {
		return "", corrupt("JSON clock wants a string at byte %d", r.i)
	}
	var id []byte
	for start := r.i; r.i < len(r.data); {
		switch b := r.data[r.i]; {
		case b == '"':
			r.i++
			if !utf8.Valid(id) {
				return "", corrupt("id at byte %d is not UTF-8", start)
			}
			return string(id), nil
		case b < ' ':
			return "", corrupt("id at byte %d holds a control character", start)
		case b == '\\':
			c, ok := r.escape()
			if !ok {
				return "", corrupt("id at byte %d holds a damaged escape", start)
			}
			id = utf8.AppendRune(id, c)
		default:
			id = append(id, b)
			r.i++
		}
	}
	return "", corrupt("JSON clock ends within a string")
}

// escape reads an escape sequence, or the two of a surrogate pair.
func (r *jsonReader) escape() (rune, bool) {
	if r.i+1 >= len(r.data) {
		return 0, false
	}
	b := r.data[r.i+1]
	r.i += 2
	switch b {
	case '"', '\\', '/':
		return rune(b), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
	default:
		return 0, false
	}
	c, ok := r.hex()
	if !ok || !utf16.IsSurrogate(c) {
		return c, ok
	}
	if r.i+1 >= len(r.data) || r.data[r.i] != '\\' || r.data[r.i+1] != 'u' {
		return 0, false
	}
	r.i += 2
	low, ok := r.hex()
	c = utf16.DecodeRune(c, low)
	return c, ok && c != utf8.RuneError
}

// hex reads four hexadecimal digits.
func (r *jsonReader) hex() (rune, bool) {
	if len(r.data)-r.i < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(r.data[r.i:r.i+4]), 16, 16)
	r.i += 4
	return rune(v), err == nil
}
