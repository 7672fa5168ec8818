package document

import (
	"crypto/sha256"
	_ "embed" // for the page's parts below
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

// page is what the template takes. Only the style and the script, which are ours, are
// taken as they are; the policy names them by their hashes, so that a browser
// runs nothing else and loads nothing.
type page struct {
	Title, Version string
	Policy         string
	Style          template.CSS
	Script         template.JS
	Sections       []sectionView
}

type sectionView struct {
	Section
	ID       string
	When     string
	Findings []findingView
	Parts    []partView
	Counts   []count
}

type findingView struct {
	Finding
	Word string // of the severity
	Deep int    // at most 3: there is little room
}

// count is how many findings of one severity a section has.
type count struct {
	Severity Severity
	Findings int
}

type partView struct {
	Title string
	Lines []Line
	Table *tableView
	Bars  []barView
	Chart *chartView
}

// HTML writes one page that needs nothing else: no file, no network, and no script
// either, which only sorts and filters.
func HTML(w io.Writer, d Document) error {
	t, err := pageTemplate()
	if err != nil {
		return err
	}
	return writePage(w, t, d)
}

func pageTemplate() (*template.Template, error) {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("failed to read the page's own template: %w", err)
	}
	return t, nil
}

func writePage(w io.Writer, t *template.Template, d Document) error {
	p := page{Title: safe(d.Title), Version: safe(d.Version), Policy: policy(),
		Style: template.CSS(pageStyle), Script: template.JS(pageScript)} //nolint:gosec // both are the program's own
	for i, s := range d.Sections {
		p.Sections = append(p.Sections, viewOf(s, i))
	}
	return t.Execute(w, p)
}

// policy lets the page's own style and script in by their hashes (CSP 3, 2.3.1), and
// nothing else.
func policy() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'", hash(pageStyle), hash(pageScript))
}

func viewOf(s Section, i int) sectionView {
	v := sectionView{Section: s, ID: fmt.Sprintf("s%d", i+1)}
	v.Title, v.Summary = safe(s.Title), safe(s.Summary)
	if s.Time != nil {
		v.When = s.Time.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	counts := map[Severity]int{}
	for _, f := range s.Findings {
		counts[f.Severity]++
		v.Findings = append(v.Findings, findingView{Finding: f.safe(), Word: string(f.Severity), Deep: min(max(f.Depth, 0), 3)})
	}
	for _, severity := range []Severity{Critical, Warning} {
		if n := counts[severity]; n > 0 {
			v.Counts = append(v.Counts, count{severity, n})
		}
	}
	for _, part := range s.Parts {
		v.Parts = append(v.Parts, partOf(part))
	}
	return v
}

// safe is the finding with all its text made safe.
func (f Finding) safe() Finding {
	f.ID, f.Mark, f.Summary = safe(f.ID), safe(f.Mark), safe(f.Summary)
	switch f.Severity {
	case Critical, Warning, Gone:
	default:
		f.Severity = Warning
	}
	evidence, causes, steps := f.Evidence, f.CausedBy, f.Remedy
	f.Evidence, f.CausedBy, f.Remedy = nil, nil, nil
	for _, e := range evidence {
		f.Evidence = append(f.Evidence, safe(e))
	}
	for _, c := range causes {
		f.CausedBy = append(f.CausedBy, safe(c))
	}
	for _, s := range steps {
		f.Remedy = append(f.Remedy, Step{safe(s.Do), safe(s.Run)})
	}
	return f
}

func partOf(p Part) partView {
	v := partView{Title: safe(p.Title)}
	for _, l := range p.Lines {
		v.Lines = append(v.Lines, Line{safe(l.Label), safe(l.Text), safe(l.Run)})
	}
	if p.Table != nil {
		v.Table = viewTable(*p.Table)
	}
	if p.Bars != nil {
		v.Bars = viewBars(p.Bars.Bars)
	}
	if p.Chart != nil {
		v.Chart = viewChart(*p.Chart)
	}
	return v
}

// clock is a moment on an axis; with the day where the whole is longer than one.
func clock(t time.Time, span time.Duration, zone *time.Location) string {
	switch {
	case span > 20*time.Hour:
		return t.In(zone).Format("01-02 15:04")
	case span < 10*time.Minute:
		return t.In(zone).Format(time.TimeOnly)
	}
	return t.In(zone).Format("15:04")
}
