package hostfs

import (
	"bytes"
	"strings"
)

// KeyValues reads "KEY=value" lines, '#' a comment, a value perhaps in quotes:
// logind's /run/systemd/sessions/ID and the like.
func KeyValues(b []byte) map[string]string {
	values := map[string]string{}
	for line := range bytes.Lines(b) {
		key, value, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if ok && !strings.HasPrefix(key, "#") {
			values[key] = strings.Trim(value, `"'`)
		}
	}
	return values
}
