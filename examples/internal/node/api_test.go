package node

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadWriteDelete(t *testing.T) {
	_, client := startGroup(t, usual)
	ctx, none := t.Context(), vclock.Clock{}

	a, err := client.Get(ctx, "a/b c?", none)
	require.NoError(t, err)
	assert.Empty(t, a.Values, "absent")
	_, there, err := client.Delete(ctx, "a/b c?", none)
	require.NoError(t, err)
	assert.False(t, there, "nothing to delete")

	first, err := client.Put(ctx, "a/b c?", none, []byte("one"))
	require.NoError(t, err)
	second, err := client.Put(ctx, "a/b c?", first.Context, []byte("two"))
	require.NoError(t, err)
	a, err = client.Get(ctx, "a/b c?", second.Context)
	require.NoError(t, err)
	assert.Equal(t, [][]byte{[]byte("two")}, a.Values, "a write with a context replaces what it had seen")

	// Somebody who has not seen it writes: a conflict, which a third resolves.
	_, err = client.Put(ctx, "a/b c?", first.Context, []byte("zwei"))
	require.NoError(t, err)
	a, err = client.Get(ctx, "a/b c?", none)
	require.NoError(t, err)
	assert.ElementsMatch(t, [][]byte{[]byte("two"), []byte("zwei")}, a.Values)
	_, err = client.Put(ctx, "a/b c?", a.Context, []byte("both"))
	require.NoError(t, err)
	a, err = client.Get(ctx, "a/b c?", none)
	require.NoError(t, err)
	assert.Equal(t, [][]byte{[]byte("both")}, a.Values)

	_, there, err = client.Delete(ctx, "a/b c?", a.Context)
	require.NoError(t, err)
	assert.True(t, there)
	a, err = client.Get(ctx, "a/b c?", none)
	require.NoError(t, err)
	assert.Empty(t, a.Values)
	_, there, err = client.Delete(ctx, "a/b c?", none)
	require.NoError(t, err)
	assert.False(t, there, "deleted already")
}

func do(t *testing.T, method, url, token string, body io.Reader) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set(headerContext, token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	b, err := ReadBody(resp)
	require.NoError(t, err)
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// Any node takes any request, and hostile bytes get one line.
func TestEveryNodeAnswers(t *testing.T) {
	g, _ := startGroup(t, usual)
	for _, name := range g.names {
		base := "http://" + g.addr(name)
		status, _ := do(t, "PUT", base+"/v1/kv/from/"+name, "", strings.NewReader("value"))
		assert.Equal(t, http.StatusNoContent, status)
		for _, other := range g.names {
			status, body := do(t, "GET", "http://"+g.addr(other)+"/v1/kv/from/"+name, "", nil)
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, "value", body)
		}
		future, err := vclock.Make(vclock.Dot{ID: "nobody", N: 7})
		require.NoError(t, err)
		token, err := future.MarshalText()
		require.NoError(t, err)
		for _, bad := range []struct {
			status                    int
			method, path, token, body string
		}{
			{404, "GET", "/v1/kv/absent", "", ""},
			{404, "DELETE", "/v1/kv/absent", "", ""},
			{503, "GET", "/v1/kv/from/" + name, string(token), ""}, // nobody can answer with what that client has seen
			{400, "GET", "/v1/kv/a", "no token!", ""},
			{400, "PUT", "/v1/kv/a", "AAAA", "value"},
			{400, "GET", "/v1/kv/a?r=9", "", ""},
			{400, "PUT", "/v1/kv/a?w=none", "", "value"},
			{413, "PUT", "/v1/kv/a", "", strings.Repeat("x", MaxBody+1)},
			{400, "POST", "/i/put", "", "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"},
			{400, "POST", "/i/put", "", replicaBody(name, "k", "no versions")},
			{400, "POST", "/i/put", "", replicaBody("stranger", "k", emptyVersions)},
			{400, "POST", "/i/get", "", "\x05a"},
			{400, "POST", "/i/gossip", "", "\xff"},
			{400, "POST", "/i/gossip", "", string(gossipMessage{delta: []byte("garbage")}.encode())},
			{400, "POST", "/i/gossip", "", string(gossipMessage{digest: []byte("garbage")}.encode())},
		} {
			status, body := do(t, bad.method, base+bad.path, bad.token, strings.NewReader(bad.body))
			assert.Equal(t, bad.status, status, "%s %s: %s", bad.method, bad.path, body)
			assert.NotEmpty(t, body)
			assert.NotContains(t, body, "\n")
		}
	}
}

var emptyVersions = func() string {
	b, err := encodeVersions(Versions{})
	if err != nil {
		panic(err)
	}
	return string(b)
}()

func replicaBody(owner, key, value string) string {
	return string(replicaMessage{owner, key, []byte(value)}.encode())
}

// A node tells what it holds, to whoever runs it.
func TestNodesTellTheirState(t *testing.T) {
	g, client := startGroup(t, usual)
	a, err := client.Put(t.Context(), "key", vclock.Clock{}, []byte("value"))
	require.NoError(t, err)
	g.settled()
	keys := 0
	for _, name := range g.names {
		s, err := client.State(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, name, s.Node)
		assert.Equal(t, FingerprintName(client.ring.Load()), s.Ring)
		assert.Equal(t, g.names, s.Up)
		assert.Zero(t, s.Hints)
		keys += s.Keys

		v, err := CopyAt(t.Context(), g.nodes["node-1"].peers, name, "key")
		require.NoError(t, err)
		assert.Equal(t, s.Keys, v.Len(), "an owner has it, others have nothing")
		if s.Keys > 0 {
			assert.Contains(t, client.Owners("key", 3), name)
			assert.True(t, v.Context().Contains(a.Dot))
		}
	}
	assert.Equal(t, 3, keys)
}
