// Package document is an answer as parts that nobody has laid out yet, and what
// lays them out for a ticket (HTML) and for a chat (Markdown). It knows no command:
// a document holds text, numbers and tables, and all of it is taken for hostile.
package document

import "time"

// Document is an answer about one node or several.
type Document struct {
	Title string
	// Version of the program that made it.
	Version  string
	Sections []Section
}

// Section is what is said of one node, or of one process.
type Section struct {
	// Title is the node's name; "" where the document's title says it all.
	Title string
	// Time by the node's clock; nil: not known.
	Time *time.Time
	// Summary is the one line that says how it stands.
	Summary  string
	Findings []Finding
	// Parts in the order in which they are read.
	Parts []Part
}

// Severity of a finding: how soon somebody must act.
type Severity string

// Severities. Gone is that of a finding which an older report had.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Gone     Severity = "resolved"
)

// Finding is one conclusion: who, how we know, what to do.
type Finding struct {
	ID       string
	Severity Severity
	// Depth is how many causes it stands below: a symptom follows its cause.
	Depth int
	// Mark is a word beside the severity, such as "new".
	Mark     string
	Summary  string
	Evidence []string
	CausedBy []string // IDs
	Remedy   []Step
}

// Step is one thing to do, and the command for it, if there is one.
type Step struct{ Do, Run string }

// Part is one of a table, a plot and lines; a title goes with any of them.
type Part struct {
	Title string
	Lines []Line
	Table *Table
	Bars  *Bars
	Chart *Chart
}

// Line is a sentence, or what a label stands before; Run is a command that goes with it.
type Line struct{ Label, Text, Run string }

// Table has as many cells in each row as there are columns.
type Table struct {
	Columns []Column
	Rows    [][]string
	// Rest says what is not in the rows.
	Rest string
}

// Column of a table.
type Column struct {
	Title string
	Type  Type
}

// Type of what stands in a column.
type Type string

// Types of columns: by a number rows are sorted by its value, see Amount.
const (
	Text   Type = "text"
	Number Type = "number"
)

// Bars compare owners with each other.
type Bars struct {
	Bars []Bar
}

// Bar is one of them; Shown is its value for a person.
type Bar struct {
	Label string
	Value float64
	Shown string
}

// Chart is values over time.
type Chart struct {
	// Max is a limit to draw, 0 for none; Unit is "bytes", or "" for counts.
	Max  float64
	Unit string
	// Zone that times are told in; nil: UTC.
	Zone   *time.Location
	Series []Series
	// Marks are moments of interest.
	Marks []Mark
}

// Series is one line; where nothing is known it has no point, and a Gap before the next.
type Series struct {
	Name   string
	Points []Point
}

// Point of a series.
type Point struct {
	At    time.Time
	Value float64
	// Gap: the line is broken before this point.
	Gap bool
}

// Mark is a moment with a name.
type Mark struct {
	At   time.Time
	Name string
}
