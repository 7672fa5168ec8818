package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes bytes that somebody on the node chose (a path, a command line)
// safe to print and to carry in JSON. What a terminal may act upon (C0, DEL,
// C1, bidirectional and other format controls, line separators) and what is
// not UTF-8 becomes \xNN, \uNNNN or \UNNNNNNNN. A backslash that could be
// mistaken for the start of such an escape becomes \x5c, so that the same
// bytes can be had back; all others, as in a systemd unit's "\x2d", stay.
func Escape(s string) string { return escape(s, true) }

// Clean is Escape for text that was escaped before: it catches what an
// untrusted probe left raw, and takes existing escapes for what they are.
func Clean(s string) string { return escape(s, false) }

func escape(s string, backslashes bool) string {
	if isPlain(s) && (!backslashes || !strings.Contains(s, `\`)) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\\' && backslashes && escapeLength(s[i:]) > 0:
			b.WriteString(`\x5c`)
		case !unsafeRune(r):
			b.WriteString(s[i : i+size])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// Unescape gives back the bytes that Escape was given.
func Unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		n := escapeLength(s[i:])
		if n == 0 {
			b.WriteByte(s[i])
			i++
			continue
		}
		v, _ := hexValue(s[i+2 : i+n])
		if s[i+1] == 'x' {
			b.WriteByte(byte(v))
		} else {
			b.WriteRune(rune(v))
		}
		i += n
	}
	return b.String()
}

// escapeLength is the length of the escape that s starts with, 0 for none.
// Only what Escape itself writes is one: "\x2d" of systemd is not.
func escapeLength(s string) int {
	if len(s) < 4 || s[0] != '\\' {
		return 0
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if digits == 0 || len(s) < 2+digits {
		return 0
	}
	v, ok := hexValue(s[2 : 2+digits])
	switch {
	case !ok:
		return 0
	case digits == 2 && (v < 0x20 || v >= 0x7f || v == '\\'):
		return 4
	case digits == 4 && v >= 0x80 && unsafeRune(rune(v)),
		digits == 8 && v > 0xffff && v <= unicode.MaxRune && unsafeRune(rune(v)):
		return 2 + digits
	}
	return 0
}

// hexValue reads lower-case hexadecimal, the only form that Escape writes.
func hexValue(s string) (uint32, bool) {
	var v uint32
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | uint32(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | uint32(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// unsafeRune says whether a terminal or a reader may be led astray by r:
// controls (Cc), format characters (Cf: bidi overrides, zero width joiners,
// tags), line and paragraph separators, surrogates and private use.
func unsafeRune(r rune) bool {
	if r < 0x7f {
		return r < 0x20
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs, unicode.Co)
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
