package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func uniques(t *testing.T, in string, args ...string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, run(args, strings.NewReader(in), &out))
	return out.String()
}

func TestUniquesOfInventedServers(t *testing.T) {
	got := uniques(t, "")
	require.Equal(t, `day          visitors   error  by the hour, 0 to 23 UTC
2026-05-01      28210   0.8 %  ▅▄▃▂▂▁▁▁▂▂▃▄▅▆▇▇██████▇▆
2026-05-02      28303   0.8 %  ▅▄▃▂▂▁▁▁▂▂▃▄▅▆▇▇██████▇▆
2026-05-03      28533   0.8 %  ▅▄▃▂▂▁▁▁▂▂▃▄▅▆▇███████▇▆
all             48834   0.8 %
sent by 3 servers: 613 KB of sketches
`, got)

	// What the sketches say is what counting exactly says, within their error.
	exact := map[string]map[string]bool{"all": {}}
	for _, server := range []string{"alpha", "beta", "gamma"} {
		f, err := invent(server)
		require.NoError(t, err)
		log, err := io.ReadAll(f)
		require.NoError(t, err)
		for line := range strings.Lines(string(log)) {
			fields := strings.Fields(line)
			day := fields[3][1:3]
			if exact[day] == nil {
				exact[day] = map[string]bool{}
			}
			exact[day][fields[0]] = true
			exact["all"][fields[0]] = true
		}
	}
	lines := strings.Split(got, "\n")
	for i, day := range []string{"01", "02", "03", "all"} {
		var name string
		var n int
		_, err := fmt.Sscan(lines[i+1], &name, &n)
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(name, day))
		require.InEpsilon(t, len(exact[day]), n, 3*0.0082)
	}
}

func TestUniquesOfLogs(t *testing.T) {
	const first = `203.0.113.7 - - [10/May/2026:01:10:36 +0200] "GET / HTTP/1.1" 200 2326 "-" "a browser"
203.0.113.7 - frank [10/May/2026:01:50:00 +0200] "GET /a HTTP/1.1" 200 1
2001:db8::1 - - [10/May/2026:02:00:00 +0200] "GET / HTTP/1.1" 304 -
`
	const second = `203.0.113.7 - - [09/May/2026:23:59:59 +0000] "GET / HTTP/1.1" 200 2326
203.0.113.9 - - [10/May/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 2326`
	file := filepath.Join(t.TempDir(), "access.log")
	require.NoError(t, os.WriteFile(file, []byte(first), 0o600))
	require.Equal(t, `day          visitors   error  by the hour, 0 to 23 UTC
2026-05-09          1   0.8 %  ·······················█
2026-05-10          2   0.8 %  █···········█···········
all                 3   0.8 %
sent by 2 servers: 0 KB of sketches
`, uniques(t, second, file, "-"))

	require.EqualError(t, run([]string{"-"}, strings.NewReader(first+"rubbish\n"), io.Discard),
		`-:4: parsing time "" as "02/Jan/2006:15:04:05 -0700": cannot parse "" as "02"`)
	require.EqualError(t, run([]string{"-"}, strings.NewReader(""), io.Discard), "hll: union of no sketches, want at least 1")
	require.ErrorIs(t, run([]string{file + ".1"}, nil, io.Discard), os.ErrNotExist)
}
