package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// demo makes two folders of a thousand files of which five differ, and syncs twice.
func demo(out io.Writer) error {
	dir, err := os.MkdirTemp("", "sync")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	write := func(name, text string) error { return os.WriteFile(dir+"/"+name, []byte(text), 0o600) }
	for _, side := range []string{"from", "to"} {
		err = errors.Join(err, os.Mkdir(dir+"/"+side, 0o700))
		for i := range 1000 {
			err = errors.Join(err, write(fmt.Sprintf("%s/%03d.txt", side, i), fmt.Sprint("text ", i)))
		}
	}
	err = errors.Join(err, write("from/007.txt", "changed"), write("from/042.txt", "changed too"), write("from/new.txt", "new"),
		os.Remove(dir+"/to/500.txt"), write("to/mine.txt", "mine"))
	for range 2 {
		err = errors.Join(err, run([]string{dir + "/from", dir + "/to"}, nil, out))
	}
	return err
}
