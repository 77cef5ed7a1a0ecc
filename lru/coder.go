package lru

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"github.com/distkit/distkit/internal/codec"
)

// coder encodes the keys or values of a cache. See Format in the documentation of
// the package.
type coder[T any] struct {
	code   typeCode
	append func(b []byte, v *T) ([]byte, error)
	take   func(b []byte, v *T) (rest []byte, err error)
}

// typeCode says how values are encoded: the kind in the high four bits, and the
// size in bytes in the low ones where it is fixed.
type typeCode byte

const (
	codeBool     typeCode = 0x11
	codeSigned   typeCode = 0x20
	codeUnsigned typeCode = 0x30
	codeFloat    typeCode = 0x40
	codeString   typeCode = 0x50
	codeBytes    typeCode = 0x60
	codeBinary   typeCode = 0x70 // by methods of the type
)

func (c typeCode) String() string {
	switch c & 0xf0 {
	case codeSigned:
		return fmt.Sprintf("int%d", 8*(c&0xf))
	case codeUnsigned:
		return fmt.Sprintf("uint%d", 8*(c&0xf))
	case codeFloat:
		return fmt.Sprintf("float%d", 8*(c&0xf))
	}
	if name, ok := map[typeCode]string{codeBool: "bool", codeString: "string", codeBytes: "[]byte", codeBinary: "binary"}[c]; ok {
		return name
	}
	return fmt.Sprintf("type %#02x", byte(c))
}

// newCoder returns the coder of T; what names T's role in errors.
func newCoder[T any](what string) (coder[T], error) {
	if c, ok := binaryCoder[T](); ok {
		return c, nil
	}
	t := reflect.TypeFor[T]()
	size := typeCode(8) // of an int, on every machine
	if k := t.Kind(); k != reflect.Int && k != reflect.Uint && k != reflect.Uintptr {
		size = typeCode(t.Size() & 0xf)
	}
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return coder[T]{codeBool, appendBool[T], takeBool[T]}, nil
	case reflect.Int <= k && k <= reflect.Int64, reflect.Uint <= k && k <= reflect.Uintptr, k == reflect.Float32, k == reflect.Float64:
		code := codeUnsigned
		if k <= reflect.Int64 {
			code = codeSigned
		} else if k >= reflect.Float32 {
			code = codeFloat
		}
		return numberCoder[T](code|size, int(size)), nil
	case k == reflect.String:
		return lengthCoder(codeString,
			func(b []byte, v *T) ([]byte, error) { return append(b, reflect.ValueOf(v).Elem().String()...), nil },
			func(b []byte, v *T) error { reflect.ValueOf(v).Elem().SetString(string(b)); return nil }), nil
	case k == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return lengthCoder(codeBytes,
			func(b []byte, v *T) ([]byte, error) { return append(b, reflect.ValueOf(v).Elem().Bytes()...), nil },
			func(b []byte, v *T) error { reflect.ValueOf(v).Elem().SetBytes(bytes.Clone(b)); return nil }), nil
	}
	return coder[T]{}, fmt.Errorf("lru: %s is %v, want a number, bool, string, []byte or a type with MarshalBinary and UnmarshalBinary", what, t)
}

func appendBool[T any](b []byte, v *T) ([]byte, error) {
	if reflect.ValueOf(v).Elem().Bool() {
		return append(b, 1), nil
	}
	return append(b, 0), nil
}

func takeBool[T any](b []byte, v *T) ([]byte, error) {
	if len(b) == 0 || b[0] > 1 {
		return nil, errEntry("bool is not 0 or 1")
	}
	reflect.ValueOf(v).Elem().SetBool(b[0] == 1)
	return b[1:], nil
}

func numberCoder[T any](code typeCode, size int) coder[T] {
	return coder[T]{
		code,
		func(b []byte, v *T) ([]byte, error) {
			var word [8]byte
			binary.LittleEndian.PutUint64(word[:], numberBits(reflect.ValueOf(v).Elem()))
			return append(b, word[:size]...), nil
		},
		func(b []byte, v *T) ([]byte, error) {
			if len(b) < size {
				return nil, errEntry("number is cut short")
			}
			var word [8]byte
			copy(word[:], b[:size])
			return b[size:], setNumber(reflect.ValueOf(v).Elem(), binary.LittleEndian.Uint64(word[:]), size)
		},
	}
}

func numberBits(v reflect.Value) uint64 {
	switch {
	case v.Kind() == reflect.Float32:
		return uint64(math.Float32bits(float32(v.Float())))
	case v.CanFloat():
		return math.Float64bits(v.Float())
	case v.CanInt():
		return uint64(v.Int())
	}
	return v.Uint()
}

// setNumber sets v to the number of those bits, of which size bytes count.
func setNumber(v reflect.Value, word uint64, size int) error {
	switch {
	case v.Kind() == reflect.Float32:
		v.SetFloat(float64(math.Float32frombits(uint32(word))))
	case v.CanFloat():
		v.SetFloat(math.Float64frombits(word))
	case v.CanInt():
		unused := 64 - 8*size
		n := int64(word<<unused) >> unused
		if v.OverflowInt(n) {
			return codec.Incompatible("lru", "image holds %d, which is more than an %v of this machine holds", n, v.Type())
		}
		v.SetInt(n)
	default:
		if v.OverflowUint(word) {
			return codec.Incompatible("lru", "image holds %d, which is more than a %v of this machine holds", word, v.Type())
		}
		v.SetUint(word)
	}
	return nil
}

// lengthCoder encodes a value by what app appends, after its length.
func lengthCoder[T any](code typeCode, app func([]byte, *T) ([]byte, error), set func([]byte, *T) error) coder[T] {
	return coder[T]{
		code,
		func(b []byte, v *T) ([]byte, error) {
			start := len(b)
			b, err := app(b, v)
			if err != nil {
				return nil, err
			}
			// The length is known now; what comes after it moves.
			var length [binary.MaxVarintLen64]byte
			n := binary.PutUvarint(length[:], uint64(len(b)-start))
			b = append(b, length[:n]...)
			copy(b[start+n:], b[start:len(b)-n])
			copy(b[start:], length[:n])
			return b, nil
		},
		func(b []byte, v *T) ([]byte, error) {
			length, b, err := takeUvarint(b)
			if err != nil {
				return nil, err
			}
			if length > uint64(len(b)) {
				return nil, errEntry("length is %d, with %d bytes to come", length, len(b))
			}
			return b[length:], set(b[:length], v)
		},
	}
}

// binaryCoder returns the coder of a type that encodes itself, by its own methods
// or those of its pointer. A pointer type decodes into what a new one points to.
func binaryCoder[T any]() (coder[T], bool) {
	t := reflect.TypeFor[T]()
	isPointer := t.Kind() == reflect.Pointer
	_, byValue := any(*new(T)).(encoding.BinaryMarshaler)
	_, byAppend := any(*new(T)).(encoding.BinaryAppender)
	_, byPointer := any(new(T)).(encoding.BinaryMarshaler)
	_, byPointerAppend := any(new(T)).(encoding.BinaryAppender)
	_, back := any(new(T)).(encoding.BinaryUnmarshaler)
	if isPointer {
		_, back = any(*new(T)).(encoding.BinaryUnmarshaler)
	}
	if t.Kind() == reflect.Interface || !back || !byValue && !byAppend && !byPointer && !byPointerAppend {
		return coder[T]{}, false
	}
	return lengthCoder(codeBinary,
		func(b []byte, v *T) ([]byte, error) {
			var self any = v
			if byValue || byAppend {
				self = *v
			}
			if isPointer && reflect.ValueOf(v).Elem().IsNil() {
				return nil, fmt.Errorf("lru: cannot encode a nil %v", t)
			}
			if a, ok := self.(encoding.BinaryAppender); ok {
				return a.AppendBinary(b)
			}
			image, err := self.(encoding.BinaryMarshaler).MarshalBinary()
			return append(b, image...), err
		},
		func(b []byte, v *T) error {
			self := any(v)
			if isPointer {
				reflect.ValueOf(v).Elem().Set(reflect.New(t.Elem()))
				self = *v
			}
			if err := self.(encoding.BinaryUnmarshaler).UnmarshalBinary(bytes.Clone(b)); err != nil {
				return errEntry("%v: %w", t, err)
			}
			return nil
		}), true
}

func errEntry(format string, args ...any) error {
	return codec.Corrupt(codec.LRUCache, format, args...)
}

// takeUvarint takes a number in its shortest form.
func takeUvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 {
		return 0, nil, errEntry("number is no shortest varint")
	}
	return v, b[n:], nil
}
