package hostfs

import "strings"

// Fold replaces ids in a path by "…": UUIDs, hexadecimal words of 8 and more
// with a digit, and numbers of 3 and more digits. Directories that are nothing
// but ids melt into what follows, so that
//
//	/run/docker/containerd/<64 hex>/<64 hex>-stdout
//
// becomes /run/docker/containerd/…-stdout.
func Fold(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); {
		n := idLength(p[i:])
		if n == 0 {
			n = max(wordLength(p[i:]), 1)
			b.WriteString(p[i : i+n])
		} else {
			b.WriteString(ellipsis)
		}
		i += n
	}
	s := b.String()
	for strings.Contains(s, "/"+ellipsis+"/"+ellipsis) {
		s = strings.ReplaceAll(s, "/"+ellipsis+"/"+ellipsis, "/"+ellipsis)
	}
	return s
}

const ellipsis = "…"

// idLength is the length of the id that s starts with, 0 for none. s starts at
// a word's first letter.
func idLength(s string) int {
	if isUUID(s) {
		return 36
	}
	n := wordLength(s)
	digits, hex := 0, n > 0
	for i := range n {
		c := s[i] | 0x20
		switch {
		case s[i] >= '0' && s[i] <= '9':
			digits++
		case c < 'a' || c > 'f':
			hex = false
		}
	}
	if digits == n && n >= 3 || hex && digits > 0 && n >= 8 {
		return n
	}
	return 0
}

// isUUID: 8-4-4-4-12 hexadecimal digits at the start of s.
func isUUID(s string) bool {
	if len(s) < 36 || wordLength(s[24:]) != 12 {
		return false
	}
	for i := range 36 {
		c := s[i] | 0x20
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

func wordLength(s string) int {
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'z') {
			return i
		}
	}
	return len(s)
}
