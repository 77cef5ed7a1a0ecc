// Command seen passes on the lines of its input that it has not seen before, in
// this run or an earlier one: it keeps a filter in a file between runs. A line is
// never passed on twice; about one new line in a thousand is taken for a known one.
//
//	go run ./examples/seen -file /tmp/seen.bloom < urls.txt > new.txt
//	go run ./examples/seen -file /tmp/seen.bloom < more.txt > new.txt
//
// The file is an image of bloom.Filter: checksummed, replaced in one step, and
// made under a secret if -secret names 16 bytes, for lines that strangers choose.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/distkit/distkit/bloom"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("seen:", err)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("seen", flag.ContinueOnError)
	file := flags.String("file", "seen.bloom", "the filter, kept between runs")
	lines := flags.Uint64("n", 1_000_000, "lines that a new filter is for")
	rate := flags.Float64("p", 0.001, "share of new lines taken for known ones, once n are in")
	secret := flags.String("secret", "", "16 bytes that the filter's hashes depend on")
	count := flags.Bool("count", false, "print a summary instead of the new lines")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var opts []bloom.Option
	if *secret != "" {
		if len(*secret) != 16 {
			return fmt.Errorf("secret has %d bytes, want 16", len(*secret))
		}
		opts = append(opts, bloom.WithSecret([16]byte([]byte(*secret))))
	}
	f, err := bloom.New(*lines, *rate, opts...)
	if err != nil {
		return err
	}
	if err := load(f, *file); err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	read, fresh, err := dedupe(f, in, w, !*count)
	if err != nil {
		return err
	}
	if *count {
		fmt.Fprintf(w, "%d lines, %d new; some %.0f known in %d KiB, next new line missed at %.3f %%\n",
			read, fresh, f.EstimatedCount(), f.SizeBytes()>>10, 100*f.EstimatedFPR())
	}
	// The lines first: a crash in between passes some on again, and loses none.
	if err := w.Flush(); err != nil {
		return err
	}
	return save(f, *file)
}

// dedupe adds the lines of in to f, and writes those that are new where pass is set.
func dedupe(f *bloom.Filter, in io.Reader, out io.Writer, pass bool) (read, fresh int, err error) {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return read, fresh, err
		}
		if end := len(line) - 1; end >= 0 {
			if line[end] == '\n' {
				line = line[:end]
			}
			read++
			if f.Add(line) {
				fresh++
				if pass {
					if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
						return read, fresh, err
					}
				}
			}
		}
		if err == io.EOF {
			return read, fresh, nil
		}
	}
}

// load makes f the filter of a file; where there is none it stays empty.
func load(f *bloom.Filter, name string) error {
	r, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = f.ReadFrom(bufio.NewReader(r))
	return err
}

// save replaces the file in one step.
func save(f *bloom.Filter, name string) (err error) {
	w, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(w.Name())
		}
	}()
	if _, err = f.WriteTo(w); err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	return os.Rename(w.Name(), name)
}
