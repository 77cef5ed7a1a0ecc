package lru

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Traces is the folder of oltp.gz, w106.gz and corda-vault.gz, or empty. They are large
// and not ours to give away, so they are not in the repository: the ARC paper's OLTP
// trace, one of CloudPhysics' and R3's Corda trace are in the resources of
// ben-manes/caffeine and maypok86/otter.
var Traces = os.Getenv("DISTKIT_LRU_TRACES")

// unpacked opens a trace of that folder.
func unpacked(name string) (io.ReadCloser, *bufio.Reader, error) {
	f, err := os.Open(filepath.Join(Traces, name))
	if err != nil {
		return nil, nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, bufio.NewReader(z), nil
}

// oltp reads lines "first count ignored number": a request for each block of a run.
func oltp() (keys []uint64, err error) {
	f, in, err := unpacked("oltp.gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 4 {
			return nil, fmt.Errorf("oltp.gz: line %q has no four fields", lines.Text())
		}
		first, err := strconv.ParseUint(fields[0], 10, 64)
		count, err2 := strconv.ParseUint(fields[1], 10, 64)
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("oltp.gz: %w", err)
		}
		for i := range count {
			keys = append(keys, first+i)
		}
	}
	return keys, lines.Err()
}

// words returns what reads big-endian numbers of that many bytes.
func words(name string, size int) func() ([]uint64, error) {
	return func() (keys []uint64, err error) {
		f, in, err := unpacked(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		var b [8]byte
		for {
			switch _, err := io.ReadFull(in, b[8-size:]); {
			case errors.Is(err, io.EOF):
				return keys, nil
			case err != nil:
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			keys = append(keys, binary.BigEndian.Uint64(b[:]))
		}
	}
}

var (
	w106  = words("w106.gz", 4)
	corda = words("corda-vault.gz", 8)
)
