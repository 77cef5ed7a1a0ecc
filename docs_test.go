package distkit_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// walkFiles calls f with the path of every file below dir, hidden folders and
// nested modules' vendored data aside.
func walkFiles(dir string, f func(path string)) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir():
			f(filepath.ToSlash(path))
		}
		return nil
	})
}

// Relative links in the documentation lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)]*))?\)|(?:src|srcset)="([^"#]+)"`)
	fenced := regexp.MustCompile("(?s)```.*?```") // code has brackets of its own
	err := walkFiles(".", func(path string) {
		if !strings.HasSuffix(path, ".md") {
			return
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(data), ""), -1) {
			target := m[1] + m[3]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if file := filepath.Join(filepath.Dir(path), target); target != "" {
				_, err = os.Stat(file)
				assert.NoError(t, err, "%s links to %s", path, target)
				data, _ = os.ReadFile(file)
			}
			assert.True(t, m[2] == "" || hasAnchor(string(data), m[2]), "%s links to %s#%s", path, target, m[2])
		}
	})
	require.NoError(t, err)
}

// hasAnchor reports whether the text has a heading that GitHub gives this anchor:
// in lower case, without punctuation, with hyphens for spaces.
func hasAnchor(text, anchor string) bool {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(plain, " ", "-") == anchor {
			return true
		}
	}
	return false
}

// The quickstart of the README is the Example that runs.
func TestReadmeQuickstart(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, block)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	code := strings.TrimSuffix(string(block[1]), "\n")
	assert.LessOrEqual(t, strings.Count(code, "\n"), 11, "twelve lines")
	indented := "\t" + strings.ReplaceAll(code, "\n", "\n\t") + "\n\t// Output:"
	assert.Contains(t, string(source), "func Example() {\n"+indented)
}

// The figures in the README are those of docs/benchmarks.md, which is one run.
func TestReadmeFigures(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	benchmarks, err := os.ReadFile("docs/benchmarks.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(readme), "| package | what | distkit | peer | ratio |\n|---|---|---|---|---|\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n\n")
	packages := map[string]bool{}
	for row := range strings.SplitSeq(table, "\n") {
		pkg, figures, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
		packages[pkg] = true
		_, section, _ := strings.Cut(string(benchmarks), "\n### "+pkg+"\n")
		section, _, _ = strings.Cut(section, "\n### ")
		assert.Contains(t, section, "\n|"+figures, pkg)
	}
	assert.Len(t, packages, 9)
}

// documentedPackages are the public packages and those of nested modules that are
// published.
func documentedPackages(t *testing.T) []string {
	paths := publicPackages(t)
	for _, dir := range publishedModules(t) {
		if dir != "." {
			paths = append(paths, filepath.ToSlash(dir))
		}
	}
	return paths
}

// Every exported name has a comment, and every exported type an Example that
// runs.
func TestEveryNameIsDocumentedAndEveryTypeShown(t *testing.T) {
	for _, pkg := range append(publicPackages(t), "ratelimit/redislimit") {
		d := parsePackage(t, pkg)
		assert.NotEmpty(t, d.Doc, "%s has no package comment", pkg)
		for _, ty := range d.Types {
			assert.NotEmpty(t, ty.Doc, "%s.%s has no comment", pkg, ty.Name)
			uses := false
			for _, e := range ty.Examples {
				uses = uses || e.Output != "" || e.EmptyOutput
			}
			for _, m := range ty.Methods {
				assert.NotEmpty(t, m.Doc, "%s.%s.%s has no comment", pkg, ty.Name, m.Name)
				for _, e := range m.Examples {
					uses = uses || e.Output != ""
				}
			}
			for _, f := range ty.Funcs {
				assert.NotEmpty(t, f.Doc, "%s.%s has no comment", pkg, f.Name)
				for _, e := range f.Examples { // of a constructor
					uses = uses || e.Output != ""
				}
			}
			assert.True(t, uses || !needsExample(ty), "%s.%s has no Example with an output", pkg, ty.Name)
		}
		for _, f := range d.Funcs {
			assert.NotEmpty(t, f.Doc, "%s.%s has no comment", pkg, f.Name)
		}
		for _, v := range append(d.Vars, d.Consts...) {
			assert.True(t, v.Doc != "" || commented(v), "%s: %v has no comment", pkg, v.Names)
		}
	}
}

// What every package comment answers, in this order and at its end; Accuracy where
// something is estimated.
var headings = []string{"Concurrency", "Accuracy", "Format", "Stability", "Security"}

func TestPackageCommentsAnswerTheSameQuestions(t *testing.T) {
	for _, pkg := range documentedPackages(t) {
		var found []string
		for _, m := range regexp.MustCompile(`(?m)^# (.*)$`).FindAllStringSubmatch(parsePackage(t, pkg).Doc, -1) {
			found = append(found, m[1])
		}
		want := headings
		if !slices.Contains(found, "Accuracy") {
			want = slices.Concat(headings[:1], headings[2:])
		}
		require.GreaterOrEqual(t, len(found), len(want), pkg)
		assert.Equal(t, want, found[len(found)-len(want):], pkg)
	}
}

// needsExample excludes options, enumerations and plain records, which the
// Examples of the types that use them show.
func needsExample(ty *doc.Type) bool {
	fields, ok := ty.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType)
	if !ok {
		return false
	}
	// doc leaves unexported fields out of what it shows, and says so.
	return fields.Incomplete
}

// commented reports whether each name of a group has a comment of its own.
func commented(v *doc.Value) bool {
	for _, s := range v.Decl.Specs {
		if spec := s.(*ast.ValueSpec); spec.Doc == nil && spec.Comment == nil {
			return false
		}
	}
	return true
}

func parsePackage(t *testing.T, pkg string) *doc.Package {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(pkg, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, path := range paths {
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	d, err := doc.NewFromFiles(fset, files, module+"/"+pkg)
	require.NoError(t, err)
	return d
}
