package shiviz

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789ABCDEF"

// appendName appends an id as it stands in a log: as one word that needs no
// quoting in JSON either.
func appendName(b []byte, id string) []byte {
	for i := 0; i < len(id); {
		r, size := utf8.DecodeRuneInString(id[i:])
		if plainRune(r, size) {
			b = append(b, id[i:i+size]...)
		} else {
			for _, c := range []byte(id[i : i+size]) {
				b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		i += size
	}
	return b
}

func plainRune(r rune, size int) bool {
	switch r {
	case '%', '"', '\\':
		return false
	case utf8.RuneError:
		return size > 1
	}
	return !unicode.IsSpace(r) && !unicode.IsControl(r)
}

// nameOf undoes appendName. A percent sign that does not begin an escape stands
// for itself, as in the logs of others.
func nameOf(name string) string {
	if !strings.Contains(name, "%") {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '%' && i+2 < len(name) {
			hi := strings.IndexByte(hexDigits, name[i+1])
			lo := strings.IndexByte(hexDigits, name[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// Whatever ends a line, in Go or in JavaScript, and the backslash itself.
var (
	escapeText   = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\u2028", `\u2028`, "\u2029", `\u2029`)
	unescapeText = strings.NewReplacer(`\\`, "\\", `\n`, "\n", `\r`, "\r", `\u2028`, "\u2028", `\u2029`, "\u2029")
)
