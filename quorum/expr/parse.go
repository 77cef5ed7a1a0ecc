package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNodes is how many different nodes Parse and Compile accept: a vote is a
// bit of a word.
const maxNodes = 64

// Parse reads an expression:
//
//	a*b            all: a and b
//	a + b          any: a or b; * binds tighter, parentheses group
//	choose2(a, b*c, d)         at least 2 of the members
//	majority(a, b, c)          more than half of the members
//	weighted3(a=2, b=1, c=1)   nodes whose weights reach 3
//
// A name is made of letters, digits and any of _ - . : / @ and stands for
// itself also if it reads like a gate, as long as no parenthesis follows. Any
// other name is quoted like a string of Go. Spaces mean nothing.
//
// Parse refuses more than 64 different nodes and more than 64 gates or
// parentheses inside each other (ErrTooComplex). Errors name the byte where
// reading stopped.
func Parse(s string) (Expr, error) {
	p := parser{in: s}
	g, err := p.any(0)
	if err == nil && p.skip() {
		err = p.fail("want * or + or the end")
	}
	if err != nil {
		return Expr{}, err
	}
	e := Expr{g}
	if err := e.Err(); err != nil {
		return Expr{}, err
	}
	if n := len(e.Nodes()); n > maxNodes {
		return Expr{}, fmt.Errorf("%w: %d nodes, want at most %d", ErrTooComplex, n, maxNodes)
	}
	return e, nil
}

// String returns the expression in the language that [Parse] reads, "" for a
// bad one. Parse gives back an expression with the same gates.
func (e Expr) String() string {
	if e.Err() != nil {
		return ""
	}
	var b strings.Builder
	e.root.print(&b)
	return b.String()
}

func (g *gate) print(b *strings.Builder) {
	switch {
	case len(g.kids) == 0:
		b.WriteString(quote(g.name))
	case g.isAll():
		g.list(b, "*", func(kid *gate) {
			if kid.isAny() {
				b.WriteByte('(')
				defer b.WriteByte(')')
			}
			kid.print(b)
		})
	case g.isAny():
		g.list(b, " + ", func(kid *gate) { kid.print(b) })
	case g.weights == nil:
		fmt.Fprintf(b, "choose%d(", g.need)
		g.list(b, ", ", func(kid *gate) { kid.print(b) })
		b.WriteByte(')')
	default:
		fmt.Fprintf(b, "weighted%d(", g.need)
		i := 0
		g.list(b, ", ", func(kid *gate) {
			fmt.Fprintf(b, "%s=%d", quote(kid.name), g.weights[i])
			i++
		})
		b.WriteByte(')')
	}
}

func (g *gate) list(b *strings.Builder, sep string, member func(*gate)) {
	for i, kid := range g.kids {
		if i > 0 {
			b.WriteString(sep)
		}
		member(kid)
	}
}

func quote(name string) string {
	for _, r := range name {
		if !inName(r) {
			return strconv.Quote(name)
		}
	}
	return name
}

func inName(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.:/@", r))
}

// parser is a recursive descent over in; depth counts what is still open.
type parser struct {
	in string
	at int
}

func (p *parser) any(depth int) (*gate, error) { return p.chain(depth, '+', (*parser).all) }
func (p *parser) all(depth int) (*gate, error) { return p.chain(depth, '*', (*parser).factor) }

func (p *parser) chain(depth int, op byte, member func(*parser, int) (*gate, error)) (*gate, error) {
	var kids []*gate
	for {
		kid, err := member(p, depth)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
		if !p.take(op) {
			break
		}
	}
	if op == '*' {
		return threshold(len(kids), kids), nil
	}
	return threshold(1, kids), nil
}

func (p *parser) factor(depth int) (*gate, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: more than %d open parentheses at byte %d", ErrTooComplex, maxDepth, p.at)
	}
	if p.take('(') {
		g, err := p.any(depth + 1)
		if err == nil && !p.take(')') {
			err = p.fail("want )")
		}
		return g, err
	}
	start := p.at
	name, quoted, err := p.name()
	if err != nil {
		return nil, err
	}
	if quoted || !p.take('(') {
		return leaf(name), nil
	}
	g, err := p.gate(name, start, depth+1)
	if err != nil {
		return nil, err
	}
	return g, g.err
}

// gate reads the members of the gate and the closing parenthesis.
func (p *parser) gate(name string, start, depth int) (*gate, error) {
	word := strings.TrimRight(name, "0123456789")
	need := 0
	if word != name {
		var err error
		if need, err = strconv.Atoi(name[len(word):]); err != nil {
			return nil, fmt.Errorf("expr: number of %q at byte %d is too large", name, start)
		}
	}
	switch {
	case word == "weighted" && word != name:
		return p.weighted(need)
	case word == "choose" && word != name, name == "majority":
	default:
		return nil, fmt.Errorf("expr: unknown gate %q at byte %d, want chooseK, majority or weightedK", name, start)
	}
	var kids []*gate
	for {
		kid, err := p.any(depth)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
		if p.take(')') {
			break
		}
		if !p.take(',') {
			return nil, p.fail("want , or )")
		}
	}
	if name == "majority" {
		need = len(kids)/2 + 1
	}
	return threshold(need, kids), nil
}

func (p *parser) weighted(need int) (*gate, error) {
	weights := make(map[string]int)
	for {
		p.skip()
		at := p.at
		name, _, err := p.name()
		if err != nil {
			return nil, err
		}
		if _, ok := weights[name]; ok {
			return nil, fmt.Errorf("expr: second weight of %q at byte %d", name, at)
		}
		if !p.take('=') {
			return nil, p.fail("want = and a weight")
		}
		number, quoted, err := p.name()
		if err != nil {
			return nil, err
		}
		if weights[name], err = strconv.Atoi(number); err != nil || quoted {
			return nil, fmt.Errorf("expr: weight of %q is %q, want a number", name, number)
		}
		if p.take(')') {
			return Weighted(need, weights).root, nil
		}
		if !p.take(',') {
			return nil, p.fail("want , or )")
		}
	}
}

// name reads a bare or a quoted name.
func (p *parser) name() (name string, quoted bool, err error) {
	if !p.skip() {
		return "", false, p.fail("want a node")
	}
	if p.in[p.at] == '"' {
		text, err := strconv.QuotedPrefix(p.in[p.at:])
		if err != nil {
			return "", true, p.fail("want a quoted name")
		}
		p.at += len(text)
		if name, err = strconv.Unquote(text); err != nil || name == "" {
			return "", true, p.fail("want a name in the quotes")
		}
		return name, true, nil
	}
	rest := p.in[p.at:]
	end := strings.IndexFunc(rest, func(r rune) bool { return !inName(r) })
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return "", false, p.fail("want a node")
	}
	p.at += end
	return rest[:end], false, nil
}

// skip passes spaces and reports whether anything is left.
func (p *parser) skip() bool {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
	return p.at < len(p.in)
}

func (p *parser) take(c byte) bool {
	if p.skip() && p.in[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) fail(want string) error {
	if !p.skip() {
		return fmt.Errorf("expr: expression ends at byte %d, %s", p.at, want)
	}
	r, _ := utf8.DecodeRuneInString(p.in[p.at:])
	return fmt.Errorf("expr: %q at byte %d, %s", r, p.at, want)
}
