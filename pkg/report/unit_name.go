package report

import "strings"

// ExpandUnit replaces the specifiers of systemd.unit(5) that a unit's name
// tells. The others stay: only systemd knows them.
func ExpandUnit(text, name string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	stem := name[:max(strings.LastIndexByte(name, '.'), 0)]
	prefix, instance, _ := strings.Cut(stem, "@")
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		switch i++; text[i] {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteString(name)
		case 'N':
			b.WriteString(stem)
		case 'p':
			b.WriteString(prefix)
		case 'P':
			b.WriteString(UnescapeUnit(prefix))
		case 'i':
			b.WriteString(instance)
		case 'I':
			b.WriteString(UnescapeUnit(instance))
		default:
			b.WriteString(text[i-1 : i+1])
		}
	}
	return Clean(b.String())
}

// UnescapeUnit decodes systemd.unit(5)'s escapes: '-' stands for '/', and \xNN
// for a byte.
func UnescapeUnit(s string) string {
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

// UnescapeBytes decodes \xNN alone.
func UnescapeBytes(s string) string {
	parts := strings.Split(s, "-")
	for i := range parts {
		parts[i] = UnescapeUnit(parts[i])
	}
	return strings.Join(parts, "-")
}
