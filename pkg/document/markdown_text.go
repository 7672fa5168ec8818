package document

import (
	"strings"
	"unicode"
)

// inline is text in which nothing is markup: words that could be are set as code,
// where no dialect reads links, mentions, emoji or HTML. Who only reads the source
// still reads the words.
func inline(text string) string {
	words := strings.Fields(safe(text))
	var out []string
	for i := 0; i < len(words); {
		if harmless(words[i], i == 0) {
			out = append(out, words[i])
			i++
			continue
		}
		end := i + 1
		for end < len(words) && !harmless(words[end], false) {
			end++
		}
		out = append(out, code(strings.Join(words[i:end], " ")))
		i = end
	}
	return strings.Join(out, " ")
}

// cell is inline for a table, where a | ends a cell even within code, but for one behind
// a backslash (GFM 4.10). A text's own backslash before it would be that one's.
func cell(text string) string {
	return strings.NewReplacer(`\|`, `\ \|`, "|", `\|`).Replace(inline(shorten(text, markdownCell)))
}

// harmless says that no dialect takes a word for anything but itself: GFM's inlines,
// its extended autolinks (www., ://, name@host), GitHub's mentions, issues, emoji,
// commits and $mathematics$, Slack's <…> and :…:.
func harmless(word string, first bool) bool {
	if strings.ContainsAny(word, "`*[]<>&|~@#!\\$^") || flanks(word, '_') || strings.Contains(word, "://") || strings.Count(word, ":") > 1 && !isTime(word) ||
		strings.HasPrefix(strings.ToLower(strings.TrimLeft(word, `("'`)), "www.") {
		return false
	}
	if strings.HasPrefix(word, ":") || strings.HasPrefix(strings.ToLower(word), "gh-") || isHash(word) {
		return false
	}
	return !first || !beginsBlock(word)
}

// isTime: its colons name no emoji.
func isTime(word string) bool {
	return strings.Trim(word, "0123456789:.,;-+TZ()") == "" && word[0] != ':'
}

// flanks: between letters and digits a _ emphasizes nothing (CommonMark 6.2).
func flanks(word string, mark rune) bool {
	alone := func(r rune) bool { return r == ' ' || unicode.IsPunct(r) || unicode.IsSymbol(r) }
	runes := []rune(" " + word + " ")
	for i, r := range runes {
		if r == mark && (alone(runes[i-1]) || alone(runes[i+1])) {
			return true
		}
	}
	return false
}

// isHash: seven hexadecimal digits or more are a commit to GitHub.
func isHash(word string) bool {
	letters := false
	for _, r := range word {
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
		letters = letters || r > '9'
	}
	return len(word) >= 7 && letters
}

// beginsBlock: a list, a rule, a heading's underline.
func beginsBlock(word string) bool {
	digits := strings.TrimLeft(word, "0123456789")
	return strings.Trim(word, "-") == "" || strings.Trim(word, "=") == "" || strings.Trim(word, "+") == "" ||
		digits != word && (digits == "." || digits == ")")
}

// code is a code span: its fence is longer than any run of backticks in the text
// (CommonMark 6.1).
func code(text string) string {
	text = safe(text)
	if text == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(text)+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// fenced is a block of code, each line behind indent.
func fenced(text, indent string) string {
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	lines := append([]string{fence}, strings.Split(text, "\n")...)
	for i := 1; i < len(lines); i++ {
		lines[i] = safe(lines[i])
	}
	return indent + strings.Join(append(lines, fence), "\n"+indent)
}

// longestRun of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
