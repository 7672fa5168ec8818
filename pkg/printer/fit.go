package printer

import (
	"fmt"
	"strings"
)

// leastRows of a ranking are shown however low the screen: the culprit first.
const leastRows = 3

// Fit makes a text for a screen of some rows: where it is too long, with fewer
// rows of its tables, so that the findings below are seen, and at last cut. It
// leaves the last row to the cursor.
func Fit(s Style, height int, render func(Style) (string, error)) (string, error) {
	text, err := render(s)
	for err == nil && height > 0 {
		over := screenRows(text, s.Width) - (height - 1)
		if over <= 0 {
			return text, nil
		}
		fewer := max(leastRows, tableRows(text, s.Top)-over)
		if s.Top != 0 && fewer >= s.Top {
			return cut(text, s.Width, height-1), nil
		}
		s.Top = fewer
		text, err = render(s)
	}
	return text, err
}

// tableRows is how many rows a table can have at most in a text.
func tableRows(text string, top int) int {
	lines := strings.Count(text, "\n")
	if top == 0 {
		return lines
	}
	return min(top, lines)
}

// screenRows is how many rows of a terminal a text takes: longer lines go on in
// the next one.
func screenRows(text string, width int) int {
	rows := 0
	for line := range strings.Lines(text) {
		rows += rowsOf(line, width)
	}
	return rows
}

func rowsOf(line string, width int) int {
	if width <= 0 {
		return 1
	}
	return max(1, (cells(strings.TrimSuffix(line, "\n"))+width-1)/width)
}

// cut keeps the first lines that fit, and says how many are missing.
func cut(text string, width, rows int) string {
	var b strings.Builder
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		// One row is kept for the note, unless this line is the last.
		if left := rows - rowsOf(line, width); left < 1 && (left < 0 || i < len(lines)-1) {
			note := fmt.Sprintf("… %d more lines: make the window larger", len(lines)-i)
			if rows > 0 {
				b.WriteString(shorten(note, width) + "\n")
			}
			break
		}
		b.WriteString(line)
		rows -= rowsOf(line, width)
	}
	return b.String()
}
