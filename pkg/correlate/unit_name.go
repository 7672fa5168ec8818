package correlate

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

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
		return "/" + strings.Trim(report.UnescapeUnit(stem), "/")
	case "slice":
		return sliceTitle(stem)
	}
	prefix, instance, isInstance := strings.Cut(stem, "@")
	plain := report.UnescapeBytes(prefix)
	switch {
	case isInstance && instance != "":
		// An instance may be a path or just a word: "%i" and "%I" are both in use.
		shown := report.UnescapeBytes(instance)
		if strings.Contains(instance, `\x`) {
			shown = report.UnescapeUnit(instance)
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
	last := report.UnescapeBytes(levels[len(levels)-1])
	if len(levels) == 1 {
		return last
	}
	return last + ", below " + report.UnescapeBytes(strings.Join(levels[:len(levels)-1], "-"))
}
