package hostfs

import "strings"

// maxNesting is how deep commands in quotes within commands are looked into;
// what is deeper is hidden.
const maxNesting = 8

// RedactCommand is Redact for a line that a shell reads. Quotes and blanks stay
// as they are:
//
//	cd /x && mysqldump -psecret --password "a b" | gzip    sh -c "mysqldump -psecret"
func RedactCommand(line string) string { return redactCommand(line, maxNesting) }

func redactCommand(line string, depth int) string {
	pieces := shellPieces(line)
	for at := 1; at < len(pieces); {
		words := []string{pieces[at]}
		end := at + 2
		for ; end < len(pieces) && !strings.ContainsAny(pieces[end-1], ";|&()`\n"); end += 2 {
			words = append(words, pieces[end])
		}
		for i, w := range redact(words, depth) {
			pieces[at+2*i] = w
		}
		at = end
	}
	return strings.Join(pieces, "")
}

// redactInside looks into an argument of several words: the command of sh -c,
// of su -c, of ssh. A single word with blanks has quotes around them.
func redactInside(a string, depth int) string {
	if !strings.ContainsAny(a, " \t\n") {
		return a
	}
	if depth == 0 {
		return Redacted
	}
	if len(shellPieces(a)) > 3 {
		return redactCommand(a, depth-1)
	}
	first := strings.IndexAny(a, `"'`)
	if first < 0 {
		return a
	}
	last := strings.LastIndexByte(a, a[first])
	if last == first {
		return a
	}
	return a[:first+1] + redactCommand(a[first+1:last], depth-1) + a[last:]
}

// shellPieces splits a line into a gap, a word, a gap and so on, ending in a
// gap. What ends a command is in the gaps.
func shellPieces(line string) []string {
	var pieces []string
	for from := 0; ; {
		at := from
		for at < len(line) && gapAt(line, at) {
			at++
		}
		pieces = append(pieces, line[from:at])
		if at == len(line) {
			return pieces
		}
		from = at
		for at < len(line) && !gapAt(line, at) {
			at = pastQuoted(line, at)
		}
		pieces = append(pieces, line[from:at])
		from = at
	}
}

func gapAt(line string, at int) bool {
	if line[at] == '&' { // that of 2>&1 and &>file ends no command
		return (at == 0 || line[at-1] != '>' && line[at-1] != '<') && (at+1 == len(line) || line[at+1] != '>')
	}
	return strings.IndexByte(" \t\r\n;|()`", line[at]) >= 0
}

// pastQuoted is the index behind a character or all that it quotes. A quote
// that nothing closes is a character; one behind a backslash is closed by the
// same, since this may be a line within quotes.
func pastQuoted(line string, at int) int {
	quote := line[at : at+1]
	switch line[at] {
	default:
		return at + 1
	case '"', '\'':
	case '\\':
		if quote = line[at:min(at+2, len(line))]; quote != `\"` && quote != `\'` {
			return at + len(quote)
		}
	}
	for end := at + len(quote); ; {
		next := strings.Index(line[end:], quote)
		if next < 0 {
			return at + len(quote)
		}
		before := line[at : end+next]
		end += next + len(quote)
		if quote != `"` || (len(before)-len(strings.TrimRight(before, `\`)))%2 == 0 {
			return end
		}
	}
}
