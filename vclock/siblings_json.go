package vclock

import (
	"bytes"
	"encoding/json"
	"io"
)

// siblingsJSON is the JSON form of siblings; of every id the newest value first.
type siblingsJSON struct {
	Context Clock                        `json:"context"`
	Values  map[string][]json.RawMessage `json:"values,omitempty"`
}

// MarshalJSON returns the siblings as JSON, for people and other languages, with
// the values as encoding/json writes them, the newest of an id first:
//
//	{"context":{"a":3,"b":1},"values":{"a":["milk","eggs"]}}
//
// It fails for a value that JSON cannot hold, and as [Clock.MarshalJSON] does.
// [AppendSiblings] is several times smaller and faster.
func (s Siblings[T]) MarshalJSON() ([]byte, error) {
	out := siblingsJSON{s.seen, make(map[string][]json.RawMessage)}
	for _, v := range s.live {
		raw, err := json.Marshal(v.value)
		if err != nil {
			return nil, err
		}
		out.Values[v.dot.ID] = append(out.Values[v.dot.ID], raw)
	}
	return json.Marshal(out)
}

// UnmarshalJSON sets s to the siblings of JSON; null changes nothing, as
// everywhere in encoding/json. Unknown fields, values of an id that the context
// does not have or of more dots than it has, and what T does not take, are
// [ErrCorrupt] and leave s as it was.
func (s *Siblings[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var in siblingsJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return corrupt("JSON siblings: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return corrupt("JSON siblings go on after their end")
	}
	got := Siblings[T]{seen: in.Context}
	for id, n := range in.Context.All() {
		raws := in.Values[id]
		delete(in.Values, id)
		if uint64(len(raws)) > n {
			return corrupt("%s has %d values, want at most %d", brief(id), len(raws), n)
		}
		for i, raw := range raws {
			v := version[T]{dot: Dot{id, n - uint64(i)}}
			if err := json.Unmarshal(raw, &v.value); err != nil {
				return corrupt("value %d of %s: %w", v.dot.N, brief(id), err)
			}
			got.live = append(got.live, v)
		}
	}
	for id := range in.Values {
		return corrupt("%s has values and is not in the context", brief(id))
	}
	*s = got
	return nil
}
