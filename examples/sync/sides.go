package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"slices"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/merkle"
)

// rows are the files of a folder, by position and name: a session tells which
// positions differ, and the rows of one position travel together.
type rows map[uint64]map[string][]byte

// scan reads a folder and indexes it.
func scan(root *os.Root) (rows, *merkle.Tree, error) {
	at := rows{}
	tree, err := merkle.NewTree()
	return at, tree, errors.Join(err, fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := root.ReadFile(name)
		h := distkit.HashString(name)
		if at[h] == nil {
			at[h] = map[string][]byte{}
		}
		at[h][name] = data
		others, _ := tree.Get(h)
		tree.PutHash(h, others^distkit.Hash(append([]byte(name+"\x00"), data...)))
		return err
	}))
}

// serve answers a session, and then a request for rows.
func serve(conn io.ReadWriter, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	at, tree, err := scan(root)
	if err != nil {
		return err
	}
	s, err := tree.Respond()
	if err != nil {
		return err
	}
	for _, err := range merkle.Sync(conn, s) {
		if err != nil {
			return err
		}
	}
	var wanted []uint64
	if err := gob.NewDecoder(conn).Decode(&wanted); err != nil {
		return err
	}
	answer := rows{}
	for _, h := range wanted {
		answer[h] = at[h]
	}
	return gob.NewEncoder(conn).Encode(answer)
}

// pull finds what differs, asks for it and writes it.
func pull(address, folder string, out io.Writer) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	mine, tree, err := scan(root)
	if err != nil {
		return err
	}
	s, err := tree.Initiate()
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	var wanted []uint64
	for d, err := range merkle.Sync(conn, s) {
		if err != nil {
			return err
		}
		wanted = append(wanted, d.Hash)
	}
	n, theirs := s.Stats(), rows{}
	fmt.Fprintf(out, "%d files here: %d messages of %d bytes find %d differences\n", tree.Len(), n.Messages, n.BytesIn+n.BytesOut, n.Diffs)
	if err := errors.Join(gob.NewEncoder(conn).Encode(wanted), gob.NewDecoder(conn).Decode(&theirs)); err != nil {
		return err
	}
	lines := []string{}
	for _, h := range wanted {
		for name, data := range theirs[h] {
			// The root keeps names from leading out of the folder.
			if err := errors.Join(root.MkdirAll(path.Dir(name), 0o755), root.WriteFile(name, data, 0o644)); err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("copied    %s, %d bytes", name, len(data)))
		}
		for name := range mine[h] {
			if _, ok := theirs[h][name]; !ok {
				lines = append(lines, "only here "+name)
			}
		}
	}
	for _, line := range slices.Sorted(slices.Values(lines)) {
		fmt.Fprintln(out, " ", line)
	}
	return nil
}
