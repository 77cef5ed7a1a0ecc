package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Workload is real input turned into requests.
type Workload struct {
	Name  string
	Items []Item // written first, once
	// Traffic is what one of several clients asks for, over and over; share is
	// its number and of how many.
	Traffic func(share, of int) iter.Seq[Request]
}

// Item is a key and its first value.
type Item struct {
	Key   string
	Value []byte
}

// Verb is what a request does.
type Verb uint8

const (
	// Look reads the key.
	Look Verb = iota
	// Visit reads or updates the key, as the share of writes has it.
	Visit
	// Update adds a mark to the set that the key holds: a read and a write.
	Update
	// Delete deletes the key.
	Delete
)

// Request is one step of the traffic.
type Request struct {
	Verb Verb
	Key  string
	Mark string // who asks, and what Update adds
}

const (
	maxItems = 2000
	maxValue = 64 << 10
)

//go:embed testdata/sample.txt
var sample []byte

// openWorkload reads the file at path, or standard input for "-": an access log
// in the Common or Combined Log Format, or any text. Without a path it takes the
// source tree of the Go toolchain.
func openWorkload(path string, stdin io.Reader) (*Workload, error) {
	switch path {
	case "":
		return sourceTree()
	case "-":
		data, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("-input -: %w", err)
		}
		return parse("standard input", data)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("-input: %w", err)
	}
	return parse(filepath.Base(path), data)
}

func parse(name string, data []byte) (*Workload, error) {
	first, _, _ := bytes.Cut(bytes.TrimLeft(data, "\r\n"), []byte("\n"))
	var w *Workload
	if logLine.Match(first) {
		w = accessLog(name, data)
	} else {
		w = words(name, []Item{{Key: name, Value: data}}, true)
	}
	if w == nil {
		return nil, fmt.Errorf("-input: %s holds no words and no requests", name)
	}
	return w, nil
}

// sourceTree takes files of GOROOT/src as items and their words as traffic: a
// word's key holds the set of folders in which it was seen. Words of real text
// come with their natural skew.
func sourceTree() (*Workload, error) {
	root, err := goroot()
	if err != nil {
		return words("sample text", []Item{{Key: "sample.txt", Value: sample}}, true), nil
	}
	var paths []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var items []Item
	step := max(1, len(paths)/maxItems)
	for i := 0; i < len(paths) && len(items) < maxItems; i += step {
		data, err := os.ReadFile(paths[i])
		if err != nil {
			return nil, err
		}
		key, err := filepath.Rel(root, paths[i])
		if err != nil {
			return nil, err
		}
		items = append(items, Item{filepath.ToSlash(key), data[:min(len(data), maxValue)]})
	}
	return words("GOROOT/src", items, false), nil
}

// goroot returns the source folder of the toolchain, if there is one.
func goroot() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "src")
	if _, err := os.Stat(filepath.Join(dir, "fmt", "print.go")); err != nil {
		return "", err
	}
	return dir, nil
}

var word = regexp.MustCompile(`\pL[\pL\pN_]{2,}`)

// wordsPerVisit is how many words of a text are visited before the next one, so
// that traffic comes from many folders soon.
const wordsPerVisit = 40

// words makes traffic of the words in texts: every word is a visit whose mark is
// the text's folder or, with lines, where in the text it stands. One request in
// eight looks at a text itself.
func words(name string, texts []Item, lines bool) *Workload {
	w := &Workload{Name: name, Items: texts}
	if lines { // one text, perhaps too large for a value: the lines are the items
		w.Items = nil
		for line := range bytes.Lines(texts[0].Value) {
			if line = bytes.TrimSpace(line); len(line) > 0 && len(w.Items) < maxItems {
				w.Items = append(w.Items, Item{fmt.Sprintf("line/%06d", len(w.Items)+1), line[:min(len(line), maxValue)]})
			}
		}
	}
	if len(w.Items) == 0 || !word.Match(slices.Concat(w.Items[0].Value, texts[0].Value)) {
		return nil
	}
	w.Traffic = func(share, of int) iter.Seq[Request] {
		order := make([]int, len(w.Items))
		for i := range order {
			order[i] = i
		}
		if !lines { // neighbors are of one folder; clients that walk side by side should not be
			rand.New(rand.NewPCG(1, 1)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		return func(yield func(Request) bool) {
			for n := 0; ; {
				for i := share; i < len(w.Items)+of; i += of {
					item := w.Items[order[i%len(order)]]
					mark := filepath.ToSlash(filepath.Dir(item.Key))
					if lines {
						mark = item.Key
					}
					for _, m := range word.FindAll(item.Value, wordsPerVisit) {
						if n++; n%8 == 0 && !yield(Request{Look, w.Items[n*31%len(w.Items)].Key, mark}) {
							return
						}
						if !yield(Request{Visit, "word/" + string(m), mark}) {
							return
						}
					}
				}
			}
		}
	}
	return w
}

// host ident user [time] "METHOD path protocol" status bytes, and what else the
// Combined Log Format appends.
var logLine = regexp.MustCompile(`^(\S+) \S+ \S+ \[[^\]]+\] "([A-Z]+) (\S+)[^"]*" \d{3} (?:\d+|-)`)

// accessLog replays the requests of a log: a GET looks, a POST or PUT adds the
// host to the set of those that wrote to the path, a DELETE deletes.
func accessLog(name string, data []byte) *Workload {
	w := &Workload{Name: name}
	var requests []Request
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxValue)
	for lines.Scan() {
		m := logLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		r := Request{Key: strings.TrimPrefix(m[3], "/"), Mark: m[1]}
		if r.Key == "" {
			r.Key = "index"
		}
		switch m[2] {
		case "POST", "PUT", "PATCH":
			r.Verb = Update
		case "DELETE":
			r.Verb = Delete
		default:
			r.Verb = Look
		}
		if !seen[r.Key] && len(w.Items) < maxItems {
			w.Items = append(w.Items, Item{r.Key, []byte(r.Mark)})
		}
		seen[r.Key] = true
		requests = append(requests, r)
	}
	if len(requests) == 0 || !errors.Is(lines.Err(), nil) {
		return nil
	}
	w.Traffic = func(share, of int) iter.Seq[Request] {
		return func(yield func(Request) bool) {
			for {
				for i := share; i < len(requests)+of; i += of {
					if !yield(requests[i%len(requests)]) {
						return
					}
				}
			}
		}
	}
	return w
}
