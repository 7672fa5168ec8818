package printer

import (
	"io"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
)

// barsShown compare those that matter; the table has the rest.
const barsShown = 10

// sectionOf is a node's section: what a printer says of it, behind its plots.
func sectionOf(node string, at *time.Time, print func(io.Writer) error, plots ...document.Part) (document.Section, error) {
	p := &parts{}
	err := print(p)
	s := p.section
	s.Title, s.Time = node, at
	lead := 0 // what is said first is read before any plot
	if len(s.Parts) > 0 && s.Parts[0].Title == "" && s.Parts[0].Table == nil {
		lead = 1
	}
	s.Parts = slices.Concat(s.Parts[:lead], plots, s.Parts[lead:])
	s.Parts = slices.DeleteFunc(s.Parts, func(part document.Part) bool {
		return part.Table == nil && part.Bars == nil && part.Chart == nil && len(part.Lines) == 0
	})
	return s, err
}

// pageOf is a document of one section.
func pageOf(title, node string, at *time.Time, print func(io.Writer) error, plots ...document.Part) (document.Document, error) {
	s, err := sectionOf(node, at, print, plots...)
	return document.Document{Title: title, Sections: []document.Section{s}}, err
}

// withRate is an amount, and its growth where it has any.
func withRate(amount, rate string) string {
	if rate == "" || rate == "0/s" {
		return amount
	}
	return amount + ", " + rate
}

// barsOf compares rows, which come largest first, or by growth.
func barsOf[Row any](title string, rows []Row, bar func(Row) document.Bar) document.Part {
	list := make([]document.Bar, 0, len(rows))
	for _, r := range rows {
		if b := bar(r); b.Value > 0 {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, func(a, b document.Bar) int {
		switch {
		case a.Value > b.Value:
			return -1
		case a.Value < b.Value:
			return 1
		}
		return 0
	})
	if len(list) < 2 { // one compares with nothing
		return document.Part{Title: title}
	}
	return document.Part{Title: title, Bars: &document.Bars{Bars: list[:min(len(list), barsShown)]}}
}
