package printer

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/logs"
)

// maxExample bounds a line that is shown whole, in cells.
const maxExample = 240

// Kubelet prints what a node's kubelet and runtime use beside their neighbours, what the
// kubelet's CPU goes to, and what is logged.
func Kubelet(w io.Writer, k correlate.NodeKubelet, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", kubeletHead(k, s)); err != nil {
		return err
	}
	sections := []tasksSection{daemonSection(k)}
	if s.Wide {
		sections = append(sections, neighbourSection(k))
	}
	sections = append(sections, activitySection(k.Profile))
	if s.Wide && k.Profile != nil {
		sections = append(sections, functionSection(k.Profile))
	}
	for _, section := range sections {
		if err := section.print(w, s); err != nil {
			return err
		}
	}
	for _, l := range k.Logs {
		if err := printLog(w, l, k, s); err != nil {
			return err
		}
	}
	if err := kubeletRest(w, k, s); err != nil {
		return err
	}
	return Findings(w, findings, s)
}

func kubeletHead(k correlate.NodeKubelet, s Style) string {
	var parts []string
	for _, d := range k.Daemons {
		part := d.Name
		if d.CPUPercent != nil {
			part += fmt.Sprintf(" %.0f %% of a core", *d.CPUPercent)
		}
		if d.RSSBytes != nil {
			part += ", " + correlate.Size(*d.RSSBytes)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = append(parts, "no kubelet was seen")
	}
	for _, l := range k.Logs {
		parts = append(parts, fmt.Sprintf("%s log %s", l.Name, perMinute(l.PerMinute)))
	}
	return s.bold()(k.Node) + ": " + strings.Join(parts, "; ")
}

func perMinute(rate float64) string {
	if rate > 0 && rate < 10 {
		return fmt.Sprintf("%.1f/min", rate)
	}
	return humanize.Comma(int64(rate)) + "/min"
}

func daemonSection(k correlate.NodeKubelet) tasksSection {
	out := tasksSection{most: 10, what: "daemons", columns: []column{{title: "DAEMON", least: 10}, {title: "PID", right: true, drop: 3}, {title: "CPU", right: true}, {title: "OTHERS", right: true}, {title: "×", right: true},
		{title: "MEMORY", right: true}, {title: "OTHERS", right: true}, {title: "×", right: true}, {title: "THREADS", right: true, drop: 2}, {title: "FDS", right: true, drop: 1}, {title: "UP", right: true}}}
	for _, d := range k.Daemons {
		row := []string{d.Name, pidCell(d.PID), cpuCell(d.CPUPercent), "", "", "", "", "", countCell(d.Threads), pointerCell(d.FDs), ""}
		if d.RSSBytes != nil {
			row[5] = correlate.Size(*d.RSSBytes)
		}
		if c := d.CPU; c != nil {
			row[3], row[4] = cpuCell(&c.Median), ratioCell(c)
		}
		if c := d.Memory; c != nil {
			row[6], row[7] = correlate.Size(uint64(max(c.Median, 0))), ratioCell(c)
		}
		if d.AgeSeconds > 0 {
			row[10] = humanSeconds(d.AgeSeconds)
		}
		out.rows = append(out.rows, row)
	}
	return out
}

func cpuCell(p *float64) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%.1f%%", *p)
}

func ratioCell(c *correlate.Comparison) string {
	if c.Ratio == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", c.Ratio)
}

func neighbourSection(k correlate.NodeKubelet) tasksSection {
	out := tasksSection{most: 20, what: "neighbours", columns: []column{{title: "NEIGHBOUR", least: 12}, {title: "VERSION", drop: 1}, {title: "CPU", right: true}, {title: "MEMORY", right: true}, {title: "FDS", right: true, drop: 2},
		{title: "RUNTIME CPU", right: true}, {title: "RUNTIME MEMORY", right: true}, {title: "NOT ASKED", least: 16}}}
	for _, s := range k.Neighbours.List {
		row := []string{s.Node, s.Version, cpuCell(s.CPUPercent), bytesCell(s.RSSBytes), "", "", "", s.Error}
		if s.OpenFDs != nil {
			row[4] = commaU(*s.OpenFDs)
		}
		if s.Runtime != nil {
			row[5], row[6] = cpuCell(s.Runtime.CPUPercent), bytesCell(s.Runtime.RSSBytes)
		}
		out.rows = append(out.rows, row)
	}
	return out
}

func bytesCell(n *uint64) string {
	if n == nil {
		return ""
	}
	return correlate.Size(*n)
}

func activitySection(p *correlate.KubeletProfile) tasksSection {
	out := tasksSection{most: 10, what: "activities", columns: []column{{title: "OF ITS CPU", right: true}, {title: "WHAT THE KUBELET WAS DOING", least: 20}, {title: "MOSTLY IN", least: 24, drop: 1}}}
	if p == nil {
		return out
	}
	for _, a := range p.Activities {
		in := ""
		if len(a.In) > 0 {
			in = shortFunction(a.In[0].Name)
		}
		out.rows = append(out.rows, []string{fmt.Sprintf("%.1f%%", a.Percent), a.Name, in})
	}
	return out
}

func functionSection(p *correlate.KubeletProfile) tasksSection {
	out := tasksSection{most: 20, what: "functions", columns: []column{{title: "OF ITS CPU", right: true}, {title: "FUNCTION THAT RAN", least: 20}}}
	for _, f := range p.Functions {
		out.rows = append(out.rows, []string{fmt.Sprintf("%.1f%%", f.Percent), f.Name})
	}
	return out
}

// shortFunction is a function without its package's directories.
func shortFunction(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// printLog prints the patterns of a log with the most lines, and what the known ones mean.
func printLog(w io.Writer, l logs.Log, k correlate.NodeKubelet, s Style) error {
	section := logSection(l)
	head := l.Name + " log"
	if l.Where != head {
		head += " (" + l.Where + ")"
	}
	head += ": " + english.Plural(l.Lines, "line", "")
	if l.From != nil {
		head += " in " + humanSeconds(l.To.Sub(*l.From).Seconds())
	}
	if l.Left > 0 {
		head += fmt.Sprintf("; %s older ones of the time asked for are not read", humanize.Comma(int64(l.Left)))
	}
	if l.Unreadable > 0 {
		head += fmt.Sprintf("; %s could not be unpacked", humanize.Comma(int64(l.Unreadable)))
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	if err := s.printWrapped(w, "", s.bold()(head)); err != nil {
		return err
	}
	if err := section.printBelow(w, s); err != nil {
		return err
	}
	return knownLines(w, l, k, section.shown(s), s)
}

func logSection(l logs.Log) tasksSection {
	out := tasksSection{most: 10, what: "patterns", columns: []column{{title: "LINES", right: true}, {title: "/MIN", right: true}, {title: "LAST", right: true}, {title: "LEVEL", drop: 1}, {title: "PATTERN", least: 30}}}
	for i := range l.Groups {
		g := &l.Groups[i]
		rate := ""
		if g.PerMinute > 0 {
			rate = strings.TrimSuffix(perMinute(g.PerMinute), "/min")
		}
		out.rows = append(out.rows, []string{humanize.Comma(int64(g.Count)), rate, clockCell(g.Last), g.Level, g.Pattern})
	}
	return out
}

func clockCell(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("15:04:05")
}

// knownLines explains the patterns that are shown, each kind once.
func knownLines(w io.Writer, l logs.Log, k correlate.NodeKubelet, shown int, s Style) error {
	said := map[string]bool{}
	for i := range l.Groups {
		g := &l.Groups[i]
		if g.Known == nil || said[g.Known.ID] || i >= shown {
			continue
		}
		said[g.Known.ID] = true
		text := g.Known.Means
		if g.Known.Do != "" {
			text += "; " + g.Known.Do
		}
		run := strings.ReplaceAll(g.Known.Run, "NODE", k.Node)
		if err := s.printWrapped(w, "  "+humanize.Comma(int64(g.Count))+" ×  ", text); err != nil {
			return err
		}
		if p, ok := w.(*parts); ok {
			p.run(run)
		} else if run != "" {
			if _, err := fmt.Fprintln(w, "           "+s.bold()(run)); err != nil {
				return err
			}
		}
		example := g.Example
		if !s.Wide {
			example = shorten(example, maxExample)
		}
		if err := s.printWrapped(w, "    newest ", example); err != nil {
			return err
		}
	}
	return nil
}

// kubeletRest says what the answer leaves out.
func kubeletRest(w io.Writer, k correlate.NodeKubelet, s Style) error {
	notes := []string{}
	if note := neighboursNote(k.Neighbours); note != "" {
		notes = append(notes, note)
	}
	if k.Profile != nil {
		notes = append(notes, fmt.Sprintf("profile: %.1f s of CPU in %.1f s, %s", k.Profile.CPUSeconds, k.Profile.Seconds, english.Plural(int(k.Profile.Samples), "sort of stack", "sorts of stacks")))
	}
	if k.ProfileError != "" {
		notes = append(notes, "profile: "+k.ProfileError)
	}
	if len(notes)+len(k.Gaps) > 0 {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	for _, note := range notes {
		if err := s.printWrapped(w, "", note); err != nil {
			return err
		}
	}
	return unreadable(w, "", k.Gaps, s)
}

// neighboursNote says who was compared with; "": nobody was asked.
func neighboursNote(n correlate.NeighbourUses) string {
	switch {
	case !n.Asked:
		return ""
	case n.Error != "":
		return "neighbours: " + n.Error
	case n.Of == 0:
		return "neighbours: there is no other ready node"
	}
	answered, why := 0, ""
	for _, neighbour := range n.List {
		if neighbour.Error == "" {
			answered++
		} else if why == "" {
			why = neighbour.Error
		}
	}
	note := fmt.Sprintf("OTHERS is the median of %s, of %s ready", english.Plural(answered, "other node", ""), humanize.Comma(int64(n.Of)))
	if why != "" {
		note += fmt.Sprintf("; %d did not answer: %s", len(n.List)-answered, why)
	}
	return note
}
