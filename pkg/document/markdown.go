package document

import (
	"fmt"
	"io"
	"strings"
)

// What a message for a chat takes of each table, of all sections, and of a cell, in
// bytes.
const (
	markdownRows     = 8
	markdownSections = 10
	markdownEvidence = 6
	markdownCell     = 80
	markdownText     = 600
)

// Markdown writes what fits a chat or a comment: findings whole, of tables the
// first rows, no plots. It is GitHub's dialect, and reads well as plain text.
func Markdown(w io.Writer, d Document) error {
	m := &markdown{}
	m.line("## " + inline(d.Title))
	sections := d.Sections
	for _, s := range sections[:min(len(sections), markdownSections)] {
		m.section(s, len(sections) > 1)
	}
	if left := len(sections) - markdownSections; left > 0 {
		m.block(fmt.Sprintf("… and %d more, not told here", left))
	}
	m.block(strings.TrimSpace("kubectl nodedoc " + inline(d.Version)))
	_, err := io.WriteString(w, m.b.String())
	return err
}

type markdown struct{ b strings.Builder }

func (m *markdown) line(text string) { m.b.WriteString(text + "\n") }

// block is a line with an empty one before it.
func (m *markdown) block(text string) { m.line("\n" + text) }

func (m *markdown) section(s Section, many bool) {
	if many && s.Title != "" {
		m.block("### " + inline(s.Title))
	}
	if s.Summary != "" {
		m.block(inline(s.Summary))
	}
	if s.Time != nil {
		m.block("At " + s.Time.UTC().Format("2006-01-02 15:04:05 UTC") + ", by the node's clock.")
	}
	for _, f := range s.Findings {
		m.finding(f.safe())
	}
	for _, p := range s.Parts {
		m.part(p)
	}
}

func (m *markdown) finding(f Finding) {
	head := "**" + strings.ToUpper(string(f.Severity)) + "**"
	if f.Depth > 0 {
		head = "↳ " + head
	}
	if f.Mark != "" {
		head += " " + inline(f.Mark)
	}
	m.block(head + " " + code(f.ID))
	m.block(inline(f.Summary) + "\n")
	for _, e := range f.Evidence[:min(len(f.Evidence), markdownEvidence)] {
		m.line("- because " + inline(e))
	}
	if left := len(f.Evidence) - markdownEvidence; left > 0 {
		m.line(fmt.Sprintf("- … and %d more", left))
	}
	for _, c := range f.CausedBy {
		m.line("- cause: see " + code(c))
	}
	for _, s := range f.Remedy {
		m.line("- do: " + inline(s.Do))
		if s.Run != "" {
			m.line(fenced(s.Run, "  "))
		}
	}
}

func (m *markdown) part(p Part) {
	if p.Table == nil && len(p.Lines) == 0 {
		return // plots
	}
	if p.Title != "" {
		m.block("#### " + inline(p.Title))
	}
	if p.Table != nil {
		m.table(*p.Table)
	}
	if len(p.Lines) > 0 {
		m.line("")
	}
	for _, l := range p.Lines {
		if l.Label != "" {
			m.line("- " + inline(l.Label) + ": " + inline(shorten(l.Text, markdownText)))
		} else {
			m.line("- " + inline(shorten(l.Text, markdownText)))
		}
		if l.Run != "" {
			m.line(fenced(l.Run, "  "))
		}
	}
}

func (m *markdown) table(t Table) {
	titles, rule := "|", "|"
	for _, c := range t.Columns {
		titles += " " + cell(c.Title) + " |"
		if c.Type == Number {
			rule += " ---: |"
		} else {
			rule += " --- |"
		}
	}
	m.block(titles)
	m.line(rule)
	for _, row := range t.Rows[:min(len(t.Rows), markdownRows)] {
		line := "|"
		for i := range t.Columns {
			text := ""
			if i < len(row) {
				text = row[i]
			}
			line += " " + cell(text) + " |"
		}
		m.line(line)
	}
	switch left := len(t.Rows) - markdownRows; {
	case left > 0:
		m.block(fmt.Sprintf("… and %s more", grouped(int64(left))))
	case t.Rest != "":
		m.block(inline(t.Rest))
	}
}
