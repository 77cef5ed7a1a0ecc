package main

import (
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const commonLog = `10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /index.html HTTP/1.0" 200 2326
10.0.0.2 - frank [10/Oct/2000:13:55:37 -0700] "POST /cart HTTP/1.1" 201 - "http://example.com/" "agent \"x\""
garbage
10.0.0.1 - - [10/Oct/2000:13:55:38 -0700] "DELETE /cart?id=1 HTTP/1.1" 204 0
10.0.0.3 - - [10/Oct/2000:13:55:39 -0700] "GET / HTTP/1.1" 200 1
`

func take(seq iter.Seq[Request], n int) (list []Request) {
	for r := range seq {
		if list = append(list, r); len(list) == n {
			break
		}
	}
	return list
}

func TestAccessLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	require.NoError(t, os.WriteFile(path, []byte(commonLog), 0o600))
	w, err := openWorkload(path, nil)
	require.NoError(t, err)
	assert.Equal(t, "access.log", w.Name)
	assert.Len(t, w.Items, 4)
	assert.Equal(t, []Request{
		{Look, "index.html", "10.0.0.1"}, {Update, "cart", "10.0.0.2"}, {Delete, "cart?id=1", "10.0.0.1"}, {Look, "index", "10.0.0.3"}, {Look, "index.html", "10.0.0.1"},
	}, take(w.Traffic(0, 1), 5), "in order, and from the start again")
	assert.Equal(t, []Request{{Update, "cart", "10.0.0.2"}, {Look, "index", "10.0.0.3"}}, take(w.Traffic(1, 2), 2), "every second one")
}

func TestWords(t *testing.T) {
	w, err := openWorkload("-", strings.NewReader("the cat\n\nand the dog, déjà vu\n"))
	require.NoError(t, err)
	require.Len(t, w.Items, 2)
	assert.Equal(t, []Request{
		{Visit, "word/the", "line/000001"},
		{Visit, "word/cat", "line/000001"},
		{Visit, "word/and", "line/000002"},
		{Visit, "word/the", "line/000002"},
		{Visit, "word/dog", "line/000002"},
		{Visit, "word/déjà", "line/000002"},
	}, take(w.Traffic(0, 1), 6))
}

func TestSourceTreeIsTheSameEveryTime(t *testing.T) {
	a, err := openWorkload("", nil)
	require.NoError(t, err)
	b, err := openWorkload("", nil)
	require.NoError(t, err)
	assert.Equal(t, "GOROOT/src", a.Name)
	assert.Len(t, a.Items, maxItems)
	assert.Equal(t, take(a.Traffic(3, 16), 1000), take(b.Traffic(3, 16), 1000))
	for _, item := range a.Items {
		assert.LessOrEqual(t, len(item.Value), maxValue)
	}
	s := words("sample", []Item{{"sample", sample}}, true)
	require.NotNil(t, s, "machines without the tree have the sample")
	assert.NotEmpty(t, take(s.Traffic(0, 1), 100))
}

func TestUnionIsASet(t *testing.T) {
	assert.Equal(t, "a\nb\nc", string(union([][]byte{[]byte("b\na"), []byte("a")}, "c")))
	assert.Equal(t, "x", string(union(nil, "x")))
	var many [][]byte
	for c := 'a'; c <= 'z'; c++ {
		many = append(many, []byte(string(c)))
	}
	assert.Len(t, strings.Split(string(union(many, "a")), "\n"), 16, "a value does not grow without end")
}
