package correlate

import "strings"

// unitTitle is what a unit's name says to a person, where systemd has escaped it
// or it is a template's instance; "" where the name is plain.
//
//	system-foo\x2dbar.slice  foo-bar, below system
//	mnt-a\x2db.mount         /mnt/a-b
//	getty@tty1.service       getty@.service for tty1
func unitTitle(name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 {
		return ""
	}
	stem, suffix := name[:dot], name[dot+1:]
	switch suffix {
	case "mount", "automount", "swap", "device":
		return "/" + strings.Trim(unescapeUnit(stem), "/")
	case "slice":
		return sliceTitle(stem)
	}
	prefix, instance, isInstance := strings.Cut(stem, "@")
	plain := unescapeBytes(prefix)
	switch {
	case isInstance && instance != "":
		// An instance may be a path or just a word: "%i" and "%I" are both in use.
		shown := unescapeBytes(instance)
		if strings.Contains(instance, `\x`) {
			shown = unescapeUnit(instance)
		}
		return plain + "@." + suffix + " for " + shown
	case plain != prefix:
		return plain + "." + suffix
	}
	return ""
}

// sliceTitle: a dash in a slice's name stands for a level.
func sliceTitle(stem string) string {
	if !strings.Contains(stem, `\`) {
		return ""
	}
	levels := strings.Split(stem, "-")
	last := unescapeBytes(levels[len(levels)-1])
	if len(levels) == 1 {
		return last
	}
	return last + ", below " + unescapeBytes(strings.Join(levels[:len(levels)-1], "-"))
}

// unescapeUnit decodes systemd.unit(5)'s escapes: '-' stands for '/', and \xNN
// for a byte.
func unescapeUnit(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '-':
			b.WriteByte('/')
		case s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' && isHex(s[i+2]) && isHex(s[i+3]):
			b.WriteByte(hexDigit(s[i+2])<<4 | hexDigit(s[i+3]))
			i += 3
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// unescapeBytes decodes \xNN alone.
func unescapeBytes(s string) string {
	parts := strings.Split(s, "-")
	for i := range parts {
		parts[i] = unescapeUnit(parts[i])
	}
	return strings.Join(parts, "-")
}
