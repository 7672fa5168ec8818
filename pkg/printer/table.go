// Package printer turns answers into what a person or a program reads: it takes
// a writer, a value, a width and a colour choice, and knows nothing else.
package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// column of a table.
type column struct {
	title string
	right bool
	// least is the width that the column may be cut to; 0: never cut.
	least int
	// drop orders which column goes first where even the least widths do not
	// fit: 1 before 2; 0: never.
	drop int
}

const gap = "  "

// printTable prints rows in columns. Where width (in terminal cells, 0: no
// bound) is too narrow, cells are cut and then whole columns dropped. The
// first line, the titles, passes through head.
func printTable(w io.Writer, columns []column, rows [][]string, width int, head func(string) string) error {
	t := newTable(columns, rows)
	if p, ok := w.(*parts); ok {
		p.table(columns, rows, t.show)
		return nil
	}
	if width > 0 {
		t.fit(width)
	}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	if _, err := fmt.Fprintln(w, head(t.line(titles))); err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, t.line(row)); err != nil {
			return err
		}
	}
	return nil
}

type table struct {
	columns []column
	rows    [][]string
	show    []bool
	widths  []int
}

func newTable(columns []column, rows [][]string) *table {
	t := &table{columns: columns, rows: rows, show: make([]bool, len(columns)), widths: make([]int, len(columns))}
	t.measure()
	return t
}

// measure shows every column that has a value in any row.
func (t *table) measure() {
	for i, c := range t.columns {
		t.widths[i] = runewidth.StringWidth(c.title)
		for _, row := range t.rows {
			t.show[i] = t.show[i] || row[i] != ""
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(row[i]))
		}
		t.show[i] = t.show[i] || len(t.rows) == 0
	}
}

func (t *table) total() int {
	sum := -len(gap)
	for i, shown := range t.show {
		if shown {
			sum += t.widths[i] + len(gap)
		}
	}
	return sum
}

// fit cuts the widest cuttable column by one cell until the table fits, and
// drops a column when none is left to cut.
func (t *table) fit(width int) {
	for t.total() > width {
		widest := -1
		for i, c := range t.columns {
			if t.show[i] && c.least > 0 && t.widths[i] > c.least && (widest < 0 || t.widths[i] > t.widths[widest]) {
				widest = i
			}
		}
		if widest >= 0 {
			t.widths[widest]--
		} else if !t.dropOne() {
			return
		}
	}
}

func (t *table) dropOne() bool {
	next := -1
	for i, c := range t.columns {
		if t.show[i] && c.drop > 0 && (next < 0 || c.drop < t.columns[next].drop) {
			next = i
		}
	}
	if next < 0 {
		return false
	}
	t.show[next] = false
	// What was cut to make room for it may grow back.
	for i := range t.widths {
		t.widths[i] = runewidth.StringWidth(t.columns[i].title)
		for _, row := range t.rows {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(row[i]))
		}
	}
	return true
}

func (t *table) line(cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		if !t.show[i] {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(gap)
		}
		if runewidth.StringWidth(cell) > t.widths[i] {
			cell = runewidth.Truncate(cell, t.widths[i], "…")
		}
		if t.columns[i].right {
			b.WriteString(runewidth.FillLeft(cell, t.widths[i]))
		} else {
			b.WriteString(runewidth.FillRight(cell, t.widths[i]))
		}
	}
	return strings.TrimRight(b.String(), " ")
}
