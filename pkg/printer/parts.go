package printer

import (
	"cmp"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
)

// parts keeps what the printers say as a document's parts, not laid out: what they
// say to a terminal, they say in a ticket. It is their writer: lines, tables and
// findings know it, and all else that is written to it is a title.
type parts struct {
	section document.Section
	// caption of the next table.
	caption string
}

// Write takes what is printed past the printers' own means: empty lines, and titles.
func (p *parts) Write(b []byte) (int, error) {
	if title := strings.TrimSpace(string(b)); title != "" {
		p.section.Parts = append(p.section.Parts, document.Part{Title: title})
	}
	return len(b), nil
}

// line takes a sentence and what stands before it. The first is the summary.
func (p *parts) line(prefix, text string) {
	label, text := strings.TrimSpace(prefix), strings.TrimSpace(text)
	switch {
	case text == "":
		return
	case label == "" && p.section.Summary == "" && len(p.section.Parts) == 0:
		p.section.Summary = text
		return
	}
	last := len(p.section.Parts) - 1
	if last < 0 || p.section.Parts[last].Table != nil {
		p.section.Parts = append(p.section.Parts, document.Part{})
		last++
	}
	p.section.Parts[last].Lines = append(p.section.Parts[last].Lines, document.Line{Label: label, Text: text})
}

// run adds a command to the last line.
func (p *parts) run(command string) {
	last := &p.section.Parts[len(p.section.Parts)-1]
	last.Lines[len(last.Lines)-1].Run = command
}

func (p *parts) findings(list []diagnose.Finding) {
	p.section.Findings = append(p.section.Findings, documentFindings(list)...)
}

func documentFindings(list []diagnose.Finding) []document.Finding {
	findings := make([]document.Finding, 0, len(list))
	for _, f := range list {
		out := document.Finding{ID: f.ID, Severity: document.Severity(f.Severity), Summary: f.Summary, Evidence: f.Evidence, CausedBy: f.CausedBy}
		for _, step := range f.Remedy {
			out.Remedy = append(out.Remedy, document.Step{Do: step.Do, Run: step.Run})
		}
		findings = append(findings, out)
	}
	return findings
}

// table takes those columns that a reader would see.
func (p *parts) table(columns []column, rows [][]string, shown []bool) {
	t := &document.Table{}
	for i, c := range columns {
		if !shown[i] {
			continue
		}
		kind := document.Text
		if c.right {
			kind = document.Number
		}
		t.Columns = append(t.Columns, document.Column{Title: c.title, Type: kind})
	}
	for _, row := range rows {
		var cells []string
		for i, cell := range row {
			if shown[i] {
				cells = append(cells, cell)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	part := document.Part{Title: cmp.Or(p.caption, rankingCaption(columns)), Table: t}
	p.caption = ""
	// A title that was printed before a table is its own.
	if last := len(p.section.Parts) - 1; part.Title == "" && last >= 0 && p.section.Parts[last].Table == nil && len(p.section.Parts[last].Lines) == 0 {
		part.Title = p.section.Parts[last].Title
		p.section.Parts = p.section.Parts[:last]
	}
	p.section.Parts = append(p.section.Parts, part)
}

// rankingCaption is for tables that nobody called anything.
func rankingCaption(columns []column) string {
	titles := map[string]string{"OWNER": "By owner", "USER": "By user", "KIND": "By kind", "FILESYSTEM": "By filesystem", "DRIVER": "By driver",
		"TARGET": "What is open", "OTHER END": "Sockets", "VOLUME": "Volumes"}
	for _, c := range columns {
		if title := titles[c.title]; title != "" {
			return title
		}
	}
	return ""
}

// captionOf is for tables by their first column, where what their rows are called says
// too little.
func captionOf(columns []column, what string) string {
	switch columns[0].title {
	case "BLOCKED":
		return "Threads in uninterruptible sleep (D)"
	case "WAITS":
		return "Who waits in a pipe"
	case "EVICTION":
		return "Thresholds of the kubelet"
	case "THE KERNEL COUNTS":
		return "The same memory, counted by kernel and kubelet"
	case "OOM KILLS", "OOM KILL":
		return "Whom the kernel has killed for memory"
	}
	if len(columns) > 1 && columns[1].title == "OVER TIME" {
		return "Each owner over the whole time"
	}
	if what == "" {
		return ""
	}
	return strings.ToUpper(what[:1]) + what[1:]
}
