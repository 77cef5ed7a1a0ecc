package merkle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
)

// Sync runs a session over a stream: messages with their length in front, a
// uvarint, and a length of 0 as the end. The initiator yields differences as it
// finds them; the responder, none. An error comes last. Both ends of the stream
// need a Sync, one of each role; it neither closes the stream nor reads beyond its
// end of the session. After an error close the stream, for the other side may wait
// for a message; a loop that ends early tells it.
func Sync(rw io.ReadWriter, s *Session) iter.Seq2[Diff, error] {
	return func(yield func(Diff, error) bool) {
		if err := s.sync(rw, func(d Diff) bool { return yield(d, nil) }); err != nil {
			yield(Diff{}, err)
		}
	}
}

func (s *Session) sync(rw io.ReadWriter, yield func(Diff) bool) error {
	var in, frame []byte
	var err error
	if !s.starts {
		if in, err = s.read(rw, nil); err != nil {
			return err
		}
	}
	for {
		out, done, err := s.Next(nil, in)
		if err != nil {
			return err
		}
		for d := range s.Diffs() {
			if !yield(d) {
				rw.Write([]byte{0}) // the loop is over: there is nobody to tell of an error
				return nil
			}
		}
		if len(out) > 0 || s.starts {
			frame = append(binary.AppendUvarint(frame[:0], uint64(len(out))), out...)
			if _, err := rw.Write(frame); err != nil {
				return fmt.Errorf("merkle: writing a message: %w", err)
			}
		}
		if done || len(out) == 0 {
			if done && !s.starts && len(out) > 0 {
				_, err = s.read(rw, in) // the end mark
				return err
			}
			return nil
		}
		if in, err = s.read(rw, in); err != nil {
			return err
		}
		if len(in) == 0 && s.starts {
			return corrupt("the other side ended the session")
		}
	}
}

// read reads one message; what it allocates has come.
func (s *Session) read(r io.Reader, buf []byte) ([]byte, error) {
	n, err := binary.ReadUvarint(byteReader{r})
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("merkle: reading a message: %w", err)
	}
	if n > uint64(s.max) {
		return nil, fmt.Errorf("%w: message of %d bytes, want at most %d", ErrLimit, n, s.max)
	}
	message := bytes.NewBuffer(buf[:0])
	if _, err := io.CopyN(message, r, int64(n)); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("merkle: reading a message: %w", err)
	}
	return message.Bytes(), nil
}

// byteReader reads single bytes without reading ahead.
type byteReader struct{ io.Reader }

func (r byteReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r.Reader, b[:])
	return b[0], err
}
