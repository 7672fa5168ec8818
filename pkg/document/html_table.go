package document

import "strconv"

type tableView struct {
	Columns []Column
	Rows    [][]cellView
	Rest    string
	// Long: it is worth a filter.
	Long bool
}

type cellView struct {
	Text string
	// Value sorts it; "" where it is no number.
	Value  string
	Number bool
	Short  bool // not to be broken
}

// worthAFilter rows are more than one sees at a glance.
const worthAFilter = 8

func viewTable(t Table) *tableView {
	v := &tableView{Rest: safe(t.Rest), Long: len(t.Rows) > worthAFilter}
	for _, c := range t.Columns {
		v.Columns = append(v.Columns, Column{Title: safe(c.Title), Type: c.Type})
	}
	for _, row := range t.Rows {
		cells := make([]cellView, len(t.Columns))
		for i := range cells {
			if i < len(row) {
				cells[i] = viewCell(row[i], t.Columns[i].Type)
			}
		}
		v.Rows = append(v.Rows, cells)
	}
	return v
}

func viewCell(text string, column Type) cellView {
	const short = 18
	c := cellView{Text: safe(text), Number: column == Number}
	c.Short = len(c.Text) <= short
	if value, ok := Amount(c.Text); ok && c.Number {
		c.Value = strconv.FormatFloat(value, 'g', -1, 64)
	}
	return c
}

type barView struct {
	Label, Shown string
	Width        string // of the whole, such as "37.5%"
}

// viewBars scales bars to the longest.
func viewBars(bars []Bar) []barView {
	most := 0.0
	for _, b := range bars {
		if finite(b.Value) {
			most = max(most, b.Value)
		}
	}
	var views []barView
	for _, b := range bars {
		if !finite(b.Value) || b.Value < 0 || most == 0 {
			continue
		}
		views = append(views, barView{Label: safe(b.Label), Shown: safe(b.Shown), Width: strconv.FormatFloat(100*b.Value/most, 'f', 2, 64) + "%"})
	}
	return views
}
