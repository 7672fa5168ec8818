package unmount

import (
	"fmt"
	"strings"
)

// mangle writes a path as the kernel does in mountinfo (fs/proc_namespace.c, seq_path
// with " \t\n\\").
func mangle(path string) string { return kernelEscapes.Replace(path) }

var kernelEscapes = strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`)

// quote makes one word of a POSIX shell of any bytes but NUL. A reviewer's
// terminal sees printable ASCII only: what else there is becomes octal escapes.
// A line end as the last byte is lost.
func quote(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f }) < 0 {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c < 0x20, c >= 0x7f, c == '\\', c == '\'', c == '%':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"$(printf '` + b.String() + `')"`
}
