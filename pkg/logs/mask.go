package logs

import (
	"regexp"
	"strings"
)

// maxPattern bounds a pattern, in bytes.
const maxPattern = 400

// What differs from line to line of one kind. "…" stands for a name, path or id, "#"
// for a number.
var (
	ids    = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	urls   = regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s"',\])}]+`)
	paths  = regexp.MustCompile(`(^|[\s"'=(\[{:,])(?:[\w.@%~+-]*/)+[^\s"',;)\]}]*`)
	times  = regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]*(?: ?[+-]\d{4}| ?[+-]\d\d:\d\d|Z)?(?: [A-Z]{3,4})?(?: m=[+-][\d.]+)?`)
	spans  = regexp.MustCompile(`\b(?:\d+(?:\.\d+)?(?:h|ms|µs|us|ns|m|s))+\b`)
	hexes  = regexp.MustCompile(`(?i)\b(?:0x[0-9a-f]+|[0-9a-f]*\d[0-9a-f]*[a-f][0-9a-f]*|[0-9a-f]*[a-f][0-9a-f]*\d[0-9a-f]*)\b`)
	digits = regexp.MustCompile(`[A-Z]\d[A-Z]|(?:[A-Z]{2,}|\b(?:ext|jbd))\d\b|(?:\b_*(?:ext|jbd))\d_|\d+(?:\.\d+)*`)
	pair   = regexp.MustCompile(`\b\w+="`)
	many   = regexp.MustCompile(`…(?:[\s,;]+…)+`)
	single = regexp.MustCompile(`'[^']{0,200}'`)
	braces = regexp.MustCompile(`\{[^{}]*:[^{}]*\}`)
	// named is a word with a part that only a machine makes: web-5d9c-x2x7k, vdfiw-8.
	named = regexp.MustCompile(`\b[A-Za-z][\w.]*(?:-[\w.]+)*-[\w.]*\d[\w.]*(?:-[\w.]+)*\b`)
)

// keepValue are keys whose values say what is wrong: theirs are masked inside only.
func keepValue(key string) bool {
	switch key {
	case "err", "error", "reason", "msg", "message", "reasonCache":
		return true
	}
	return false
}

// Mask is the pattern of a message: its words, without what differs from one line to
// the next.
func Mask(message string) string {
	text := cutText(maskQuoted(message, 0), 4*maxPattern)
	return cutText(strings.Join(strings.Fields(maskPlain(text)), " "), maxPattern)
}

// said is what a message itself says: of key="value" pairs the values may be anything,
// such as an event of somebody else's, but for those that say what is wrong.
func said(message string) string {
	structured := strings.HasPrefix(message, `"`) || pair.MatchString(message)
	if !structured {
		return message
	}
	var b strings.Builder
	for i := 0; i < len(message); {
		n := max(quotedLength(message[i:]), 1)
		if n == 1 || i == 0 || message[i-1] != '=' || keepValue(keyBefore(message[:i-1])) {
			b.WriteString(message[i : i+n])
		}
		i += n
	}
	return b.String()
}

// maskQuoted masks quoted strings. One at the beginning is klog's message, and a value
// of err="…" has a message in it, with quotes of its own.
func maskQuoted(s string, depth int) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		n := quotedLength(s[i:])
		switch {
		case n == 0:
			b.WriteByte(s[i])
			i++
			continue
		case depth < 3 && (i == 0 || i > 0 && s[i-1] == '=' && keepValue(keyBefore(s[:i-1]))):
			b.WriteString(maskQuoted(unquote(s[i:i+n]), depth+1))
		default:
			b.WriteString(`…`)
		}
		i += n
	}
	return b.String()
}

func keyBefore(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

func maskPlain(s string) string {
	s = single.ReplaceAllString(s, "…")
	for range 3 { // inner ones first
		s = braces.ReplaceAllString(s, "…")
	}
	s = times.ReplaceAllString(s, "#")
	s = urls.ReplaceAllString(s, "…")
	s = ids.ReplaceAllString(s, "…")
	s = paths.ReplaceAllStringFunc(s, maskPath)
	s = spans.ReplaceAllString(s, "#")
	s = named.ReplaceAllString(s, "…")
	s = hexes.ReplaceAllString(s, "…")
	s = digits.ReplaceAllStringFunc(s, func(d string) string {
		if d[0] >= '0' && d[0] <= '9' {
			return "#"
		}
		return d // EXT4, JBD2
	})
	return many.ReplaceAllString(s, "…")
}

// maskPath: I/O and read/write are words.
func maskPath(s string) string {
	before := ""
	if strings.ContainsAny(s[:1], " \t\"'=([{:,") {
		before, s = s[:1], s[1:]
	}
	if strings.Contains(s, "+0x") { // a function in the kernel: do_exit+0x35/0x80
		return before + s
	}
	if s[0] != '/' && strings.Count(s, "/") < 2 && !strings.ContainsAny(s, "0123456789-_.") {
		return before + s
	}
	return before + "…"
}

// cutText cuts at a rune's beginning.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most]
}
