// Command hotkeys names the words that occur most often, as a map of all words
// counts them and as sketches do, and what each takes of memory.
//
//	go run ./examples/hotkeys [folder]        # words of its Go files, or of Go's own
//	go run ./examples/hotkeys - < book.txt    # of the input
//	cut -d' ' -f7 access.log | go run ./examples/hotkeys -lines -
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/distkit/distkit/cms"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("hotkeys:", err)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("hotkeys", flag.ContinueOnError)
	top := flags.Int("n", 15, "words to print, at most 100")
	lines := flags.Bool("lines", false, "count lines instead of words")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *top < 1 || *top > slots {
		return fmt.Errorf("number of words is %d, want 1 to %d", *top, slots)
	}
	k, err := cms.NewTopK(slots)
	if err != nil {
		return err
	}
	sketch, err := cms.New(1e-4, 0.01, cms.WithConservative())
	if err != nil {
		return err
	}
	c := &counts{scanWords, map[string]uint64{}, k, sketch}
	if *lines {
		c.split = bufio.ScanLines
	}
	switch flags.Arg(0) {
	case "-":
		err = c.read(in)
	case "":
		var root []byte
		if root, err = exec.Command("go", "env", "GOROOT").Output(); err == nil {
			err = c.readTree(filepath.Join(strings.TrimSpace(string(root)), "src"))
		}
	default:
		err = c.readTree(flags.Arg(0))
	}
	if err != nil {
		return err
	}
	return c.print(out, *top)
}

const slots = 100 // of the TopK

// counts counts the same keys three times.
type counts struct {
	split  bufio.SplitFunc
	exact  map[string]uint64
	top    *cms.TopK
	sketch *cms.Sketch
}

// read counts all keys of in. One hash serves both sketches.
func (c *counts) read(in io.Reader) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, 1<<20)
	s.Split(c.split)
	for s.Scan() {
		key := s.Bytes()
		c.exact[string(key)]++
		h := c.top.Hash(key)
		c.top.AddHash(h, key)
		c.sketch.AddHash(h)
	}
	return s.Err()
}

// readTree counts the keys of all Go files below a folder.
func (c *counts) readTree(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(path) != ".go" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return c.read(f)
	})
}

func (c *counts) print(out io.Writer, n int) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%d keys, %d different\n\n%-20s %10s %10s %8s %10s\n", c.top.Total(), len(c.exact), "", "exact", "TopK", "error", "Sketch")
	for item := range c.top.Items() {
		if n--; n < 0 {
			break
		}
		fmt.Fprintf(w, "%-20.20q %10d %10d %8d %10d\n", item.Key, c.exact[item.Key], item.Count, item.Error, c.sketch.CountString(item.Key))
	}
	exact := 24 * len(c.exact) // what a map takes at least
	for key := range c.exact {
		exact += len(key)
	}
	fmt.Fprintf(w, "\nmemory in KiB        %10d %10d %19d\n", exact>>10, c.top.SizeBytes()>>10, c.sketch.SizeBytes()>>10)
	fmt.Fprintf(w, "\nTopK is sure that every key with more than %d is among its %d.\nSketch counts any key, 99 of 100 by at most %d too much, and none too little.\n",
		c.top.MinCount(), slots, c.sketch.ErrorBound())
	return w.Flush()
}

// scanWords finds runs of letters, digits and underscores, and whatever is not ASCII.
func scanWords(data []byte, atEOF bool) (advance int, token []byte, err error) {
	start := 0
	for start < len(data) && !inWord(data[start]) {
		start++
	}
	for end := start; end < len(data); end++ {
		if !inWord(data[end]) {
			return end + 1, data[start:end], nil
		}
	}
	if atEOF && start < len(data) {
		return len(data), data[start:], nil
	}
	return start, nil, nil
}

func inWord(b byte) bool {
	return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' || b == '_' || b >= 0x80
}
