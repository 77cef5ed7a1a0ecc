package distkit_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unpublished modules are for who works here, and stand on the tree around them
// for good.
var unpublished = []string{"bench", "tools", "examples/"}

// publishedModules returns the folders of the modules that users can require.
func publishedModules(t *testing.T) []string {
	var dirs []string
	require.NoError(t, walkFiles(".", func(name string) {
		for _, not := range unpublished {
			if strings.HasPrefix(name, not) {
				return
			}
		}
		if filepath.Base(name) == "go.mod" && !strings.Contains(name, "testdata") {
			dirs = append(dirs, filepath.Dir(name))
		}
	}))
	require.Contains(t, dirs, ".")
	return dirs
}

// licenses tells each license that we accept by words that no other has.
var licenses = []struct{ name, words string }{
	{"Apache-2.0", `^Apache License Version 2\.0, January 2004`},
	{"MIT", `Permission is hereby granted, free of charge, to any person obtaining a copy`},
	{"BSD-3-Clause", `Redistribution and use in source and binary forms.*Neither the names? of .* nor the names of`},
	{"BSD-2-Clause", `Redistribution and use in source and binary forms`},
}

// licenseOf returns the license of a module in dir, "" if it has none of ours.
func licenseOf(dir string) string {
	paths, _ := filepath.Glob(filepath.Join(dir, "LICENSE*"))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		oneLine := strings.Join(strings.Fields(string(text)), " ")
		for _, l := range licenses {
			if regexp.MustCompile(l.words).MatchString(oneLine) {
				return l.name
			}
		}
	}
	return ""
}

// Everything that published modules build and test with may be used and passed
// on by anyone.
func TestLicenses(t *testing.T) {
	assert.Equal(t, "Apache-2.0", licenseOf("."))
	assert.Empty(t, licenseOf("docs"), "no license is none of ours")
	for _, dir := range publishedModules(t) {
		seen := map[string]string{}
		for line := range strings.Lines(goCommand(t, "list", "-C", dir, "-deps", "-test", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", "./...")) {
			path, where, ok := strings.Cut(strings.TrimSpace(line), " ")
			if ok && path != module && !strings.HasPrefix(path, module+"/") && seen[path] == "" {
				seen[path] = licenseOf(where)
				assert.NotEmpty(t, seen[path], "%s, which %s needs, has no license that we know", path, dir)
			}
		}
		assert.NotEmpty(t, seen[`github.com/cespare/xxhash/v2`], "%s: %v", dir, seen)
	}
}

// goMod is what is asked of a go.mod here.
type goMod struct {
	Require []struct{ Path, Version string }
	Replace []struct{ Old struct{ Path string } }
}

// unreleasable says why a published module with that go.mod must not be tagged,
// once the library has a release; "" if it may be.
func (m goMod) unreleasable(released bool) string {
	for _, r := range m.Replace {
		if r.Old.Path != module {
			return "it replaces " + r.Old.Path + ", which users would not get"
		}
		if released {
			return "it replaces the library, which has a release to require"
		}
	}
	for _, r := range m.Require {
		if r.Path == module && r.Version == "v0.0.0" && len(m.Replace) == 0 {
			return "it requires a library that nobody has published"
		}
	}
	return ""
}

// A published module replaces nothing; only until the library has its first tag
// it may stand on the folder above.
func TestPublishedModulesReplaceNothing(t *testing.T) {
	// The release before this commit: a tag is set first, and followed by the nested modules.
	released := exec.Command("git", "describe", "--tags", "--match", "v[0-9]*", "HEAD^").Run() == nil
	for _, dir := range publishedModules(t) {
		var m goMod
		require.NoError(t, json.Unmarshal([]byte(goCommand(t, "mod", "edit", "-json", filepath.Join(dir, "go.mod"))), &m))
		assert.Empty(t, m.unreleasable(released), dir)
	}
}

func TestUnreleasable(t *testing.T) {
	for _, c := range []struct {
		mod      string
		released bool
		want     string
	}{
		{`{"Require": [{"Path": "github.com/distkit/distkit", "Version": "v0.1.0"}]}`, true, ""},
		{`{"Require": [{"Path": "github.com/distkit/distkit", "Version": "v0.0.0"}], "Replace": [{"Old": {"Path": "github.com/distkit/distkit"}}]}`, false, ""},
		{`{"Require": [{"Path": "github.com/distkit/distkit", "Version": "v0.0.0"}], "Replace": [{"Old": {"Path": "github.com/distkit/distkit"}}]}`, true, "has a release"},
		{`{"Require": [{"Path": "github.com/distkit/distkit", "Version": "v0.0.0"}]}`, false, "nobody has published"},
		{`{"Replace": [{"Old": {"Path": "example.com/fork"}}]}`, false, "example.com/fork"},
	} {
		var m goMod
		require.NoError(t, json.Unmarshal([]byte(c.mod), &m))
		if got := m.unreleasable(c.released); c.want == "" {
			assert.Empty(t, got)
		} else {
			assert.Contains(t, got, c.want)
		}
	}
}
