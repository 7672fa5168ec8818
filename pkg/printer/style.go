package printer

import (
	"io"
	"regexp"
	"strings"

	"github.com/fatih/color"
	"github.com/mattn/go-runewidth"
)

// Style is how text for a person looks.
type Style struct {
	// Width in terminal cells; 0: not bounded, as in a pipe.
	Width int
	Color bool
	// Wide shows every column and cuts none.
	Wide bool
	// Top bounds the rows of a ranking; 0: all.
	Top int
}

func (s Style) paint(attributes ...color.Attribute) func(string) string {
	c := color.New(attributes...)
	if s.Color {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return func(text string) string { return c.Sprint(text) }
}

func (s Style) bold() func(string) string { return s.paint(color.Bold) }
func (s Style) dim() func(string) string  { return s.paint(color.Faint) }

// tableWidth is the width that a table must keep to.
func (s Style) tableWidth() int {
	if s.Wide {
		return 0
	}
	return s.Width
}

// colours are the sequences that paint writes (ECMA-48 SGR).
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// cells is the width of a text on a terminal; colours take none.
func cells(text string) int { return runewidth.StringWidth(colours.ReplaceAllString(text, "")) }

// shorten cuts a text without colours to a width; 0: not at all.
func shorten(text string, width int) string {
	if width <= 0 {
		return text
	}
	return runewidth.Truncate(text, width, "…")
}

// unbroken are the words of a text; a sign that belongs to a number stays with it.
func unbroken(text string) []string {
	var words []string
	for word := range strings.FieldsSeq(text) {
		if len(words) > 0 && (strings.HasPrefix(word, "%") || word == "×") {
			words[len(words)-1] += " " + word
			continue
		}
		words = append(words, word)
	}
	return words
}

// printWrapped prints text behind a prefix, broken at spaces to the style's
// width, the rest below the text's start.
func (s Style) printWrapped(w io.Writer, prefix, text string) error {
	if p, ok := w.(*parts); ok {
		p.line(prefix, text)
		return nil
	}
	indent := strings.Repeat(" ", cells(prefix))
	room := s.Width - len(indent)
	if s.Width == 0 || room < 20 {
		_, err := io.WriteString(w, strings.TrimRight(prefix+text, " ")+"\n")
		return err
	}
	var b strings.Builder
	line := ""
	for _, word := range unbroken(text) {
		switch {
		case line == "":
			line = word
		case cells(line)+1+cells(word) <= room:
			line += " " + word
		default:
			b.WriteString(prefix + line + "\n")
			prefix, line = indent, word
		}
	}
	b.WriteString(prefix + line + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}
