package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
)

// printFilter says what a ranking is about, and how much of what is counted it
// has: the line above it is the whole node's.
func (s Style) printFilter(w io.Writer, filter fmt.Stringer, matched, of, counted int, what string) error {
	verb := "match"
	if matched == 1 {
		verb = "matches"
	}
	return s.printWrapped(w, "", fmt.Sprintf("%s of %s %s %s, with %s", humanize.Comma(int64(matched)),
		english.Plural(of, "owner", ""), verb, filter, english.Plural(counted, what, "")))
}
