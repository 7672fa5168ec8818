// Package logs makes lines that a node has logged readable: it unpacks them, takes them
// apart, and groups them by what does not differ from one to the next.
package logs

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxGroups bounds the patterns of one log: what comes beyond is one group.
const maxGroups = 2000

// Others is the pattern of lines beyond that bound.
const Others = "(others)"

// Log is one log, grouped.
type Log struct {
	Name  string `json:"name"`
	Where string `json:"where"`
	// Lines are those that were read, Left those of the time asked for that were not.
	Lines int `json:"lines"`
	Left  int `json:"left,omitempty"`
	// From and To are the times that the lines cover, by the node's clock; nil: not known.
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
	// PerMinute is how many lines there were; 0: the time is not known.
	PerMinute float64 `json:"perMinute"`
	// Unreadable lines were packed in a way that could not be unpacked.
	Unreadable int `json:"unreadable,omitempty"`
	// Groups are warnings and errors first, and of these the ones with the most lines.
	Groups []Group `json:"groups"`
}

// Group is all lines of one pattern.
type Group struct {
	Pattern   string     `json:"pattern"`
	Level     string     `json:"level,omitempty"` // error, warning, info
	Count     int        `json:"count"`
	PerMinute float64    `json:"perMinute"`
	First     *time.Time `json:"first,omitempty"`
	Last      *time.Time `json:"last,omitempty"`
	// Example is the newest line.
	Example string `json:"example"`
	Known   *Known `json:"known,omitempty"`
}

// Read groups all logs of a report; an error says that some lines could not be unpacked.
func Read(l *report.Logs) ([]Log, error) {
	texts, err := unpackAll(l.Blobs, true)
	known := KnownLines()
	out := make([]Log, 0, len(l.Sources))
	for i := range l.Sources {
		g := grouping{known: known, texts: texts, since: fromMicros(l.Since), until: fromMicros(l.Until),
			log: Log{Name: l.Sources[i].Name, Where: l.Sources[i].Where, Left: max(l.Sources[i].Left, 0)}, groups: map[string]*Group{}}
		out = append(out, g.read(&l.Sources[i]))
	}
	return out, err
}

// Unpack puts the texts of a report's blobs in their places, as far as they can be
// unpacked. The node cannot look for secrets in what its journal has compressed: that
// is done here, before anybody keeps it.
func Unpack(l *report.Logs, showSecrets bool) {
	if l == nil || len(l.Blobs) == 0 {
		return
	}
	texts, err := unpackAll(l.Blobs, !showSecrets)
	for i := range l.Sources {
		for j := range l.Sources[i].Lines {
			line := &l.Sources[i].Lines[j]
			if text := textOf(line, texts); text != "" {
				line.Text, line.Blobs = text, nil
			}
		}
	}
	if l.Blobs = nil; err != nil {
		l.Unreadable = append(l.Unreadable, report.Unreadable{What: "some packed lines of the journal", Cause: report.Escape(err.Error())})
	}
}

// textOf is a line's own text, or that of the blob which has a message.
func textOf(line *report.LogLine, texts []string) string {
	text := line.Text
	for _, i := range line.Blobs {
		if text == "" && i >= 0 && i < len(texts) {
			text = texts[i]
		}
	}
	return text
}

// unpackAll gives the messages among the blobs, "" for what is none. The error is the
// last one.
func unpackAll(blobs []report.LogBlob, redact bool) ([]string, error) {
	texts := make([]string, len(blobs))
	if len(blobs) == 0 {
		return texts, nil
	}
	u, failed := newUnpacker()
	if failed != nil {
		return texts, failed
	}
	defer u.zstd.Close()
	for i, b := range blobs {
		text, err := u.unpack(b)
		if err != nil {
			failed = err
		} else if message, ok := bytes.CutPrefix(text, []byte("MESSAGE=")); ok {
			text := string(message)
			if redact {
				text = hostfs.RedactLog(text)
			}
			texts[i] = report.Escape(text[:min(len(text), maxKept)])
		}
	}
	return texts, failed
}

type grouping struct {
	known        []Known
	texts        []string
	since, until time.Time
	log          Log
	groups       map[string]*Group
	// oldest and newest are the times of lines that have one.
	oldest, newest time.Time
}

// read groups the lines of a source, the newest first.
func (g *grouping) read(s *report.LogSource) Log {
	heads := g.heads(s)
	settle(heads, s.Written, g.until)
	for i := range heads {
		if h := &heads[i]; h.at.IsZero() || !h.at.Before(g.since) {
			g.add(h)
		}
	}
	g.span(s)
	for _, group := range g.groups {
		group.PerMinute = g.perMinute(group.Count)
		g.log.Groups = append(g.log.Groups, *group)
	}
	slices.SortFunc(g.log.Groups, func(a, b Group) int {
		return cmp.Or(rank(a.Level)-rank(b.Level), b.Count-a.Count, cmp.Compare(a.Pattern, b.Pattern))
	})
	g.log.PerMinute = g.perMinute(g.log.Lines)
	return g.log
}

// rank puts what went wrong before what went well.
func rank(level string) int {
	if level == Error || level == Warning {
		return 0
	}
	return 1
}

func (g *grouping) heads(s *report.LogSource) []head {
	heads := make([]head, 0, len(s.Lines))
	for _, line := range s.Lines {
		text := textOf(&line, g.texts)
		if text == "" {
			g.log.Unreadable++
			continue
		}
		h := parse(text)
		if line.At > 0 {
			h.at, h.local, h.noYear = fromMicros(line.At), false, false
		}
		if h.level == "" && line.Priority != nil {
			h.level = levelOfPriority(*line.Priority)
		}
		heads = append(heads, h)
	}
	return heads
}

func (g *grouping) add(h *head) {
	g.log.Lines++
	pattern := Mask(h.message)
	group := g.groups[pattern]
	if group == nil {
		if len(g.groups) >= maxGroups {
			pattern = Others
		}
		if group = g.groups[pattern]; group == nil {
			group = &Group{Pattern: pattern, Level: h.level, Example: cutText(strings.TrimSpace(h.message), maxKept), Known: knownOf(g.known, said(h.message))}
			g.groups[pattern] = group
		}
	}
	group.Count++
	if h.at.IsZero() {
		return
	}
	at := h.at
	if group.Last == nil || at.After(*group.Last) {
		group.Last = &at
	}
	if group.First == nil || at.Before(*group.First) {
		group.First = &at
	}
	if g.oldest.IsZero() || at.Before(g.oldest) {
		g.oldest = at
	}
	if at.After(g.newest) {
		g.newest = at
	}
}

// span is the time that the lines cover: all that was asked for, or from the oldest that
// was read.
func (g *grouping) span(s *report.LogSource) {
	from, to := g.since, g.until
	if g.newest.IsZero() && g.log.Lines > 0 { // nothing says when
		return
	}
	if (s.Left > 0 || s.Cut) && g.oldest.After(from) {
		from = g.oldest
	}
	if to.After(from) {
		g.log.From, g.log.To = &from, &to
	}
}

// perMinute is nothing for less than a second.
func (g *grouping) perMinute(count int) float64 {
	if g.log.From == nil {
		return 0
	}
	minutes := max(g.log.To.Sub(*g.log.From), time.Second).Minutes()
	return float64(count) / minutes
}
