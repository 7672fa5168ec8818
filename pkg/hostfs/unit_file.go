package hostfs

import (
	"bytes"
	"strings"
)

// UnitSetting is one assignment of a unit file.
type UnitSetting struct{ Section, Key, Value string }

// ParseUnitFile reads a unit file, systemd.syntax(7), and keeps the assignments
// that want names:
//
//	[Section]
//	Key=value, a backslash at the end continues the line
//	# a comment, also between continued lines; ';' too
//
// An empty value is kept: it resets what stood before.
func ParseUnitFile(b []byte, want func(section, key string) bool) []UnitSetting {
	var settings []UnitSetting
	section, pending := "", ""
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // an editor's byte order mark
	for more := len(b) > 0; more; {
		var raw []byte
		raw, b, more = bytes.Cut(b, []byte("\n"))
		line := strings.TrimSpace(string(raw))
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			if line = ""; more {
				continue
			}
		}
		line = pending + line
		if before, continued := cutContinued(line); continued {
			pending, line = before+" ", before // its end is the file's
			if more {
				continue
			}
		}
		pending = ""
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = line[1 : len(line)-1]
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); ok && want(section, key) {
			settings = append(settings, UnitSetting{section, key, strings.TrimSpace(value)})
		}
	}
	return settings
}

// cutContinued takes the backslash off that continues a line; of two the first
// escapes the second.
func cutContinued(line string) (before string, continued bool) {
	before = strings.TrimRight(line, `\`)
	if (len(line)-len(before))%2 == 0 {
		return line, false
	}
	return line[:len(line)-1], true
}

// UnitTemplate is "getty@.service" for "getty@tty1.service", "" for a unit that
// is no instance.
func UnitTemplate(name string) string {
	at := strings.IndexByte(name, '@')
	dot := strings.LastIndexByte(name, '.')
	if at < 0 || dot <= at+1 {
		return ""
	}
	return name[:at+1] + name[dot:]
}

// DropInDirs are the names of the directories whose *.conf files extend a unit,
// the most specific first, systemd.unit(5): its own, its template's, those of
// its prefixes up to each dash, that of its type.
//
//	foo-bar@x.service.d  foo-bar@.service.d  foo-@.service.d  foo-.service.d  service.d
func DropInDirs(name string) []string {
	dirs := []string{name + ".d"}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return dirs
	}
	stem, suffix := name[:dot], name[dot:]
	at := ""
	if t := UnitTemplate(name); t != "" {
		dirs = append(dirs, t+".d")
		stem, at = name[:strings.IndexByte(name, '@')], "@"
	}
	for i := len(stem) - 1; i > 0 && len(dirs) < 16; i-- {
		if stem[i-1] == '-' {
			dirs = append(dirs, stem[:i]+at+suffix+".d")
			if at != "" {
				dirs = append(dirs, stem[:i]+suffix+".d")
			}
		}
	}
	return append(dirs, suffix[1:]+".d")
}
