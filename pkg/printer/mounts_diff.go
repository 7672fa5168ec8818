package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// MountsDiffs prints what has become of the leaked volumes of each node.
func MountsDiffs(w io.Writer, nodes []MountsNode, s Style) error {
	for i, n := range nodes {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		var err error
		switch {
		case n.State == NodeSkipped:
			err = s.printWrapped(w, "", s.bold()(n.Node)+": "+n.Reason)
		case n.NodeMounts == nil:
			err = s.printWrapped(w, "", s.bold()(n.Node)+": no answer: "+noAnswer(n))
		case n.Diff == nil:
			err = s.printWrapped(w, "", s.bold()(n.Node)+": "+n.Reason)
		default:
			err = mountsDiff(w, n, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func mountsDiff(w io.Writer, n MountsNode, s Style) error {
	d := n.Diff
	text := s.bold()(n.Node)
	if d.Since != nil {
		text += " since " + d.Since.UTC().Format(time.RFC3339)
	}
	if d.Rebooted {
		text += ", rebooted meanwhile"
	}
	text += fmt.Sprintf(": leaked: %s gone, %s new, %s left", comma(len(d.Gone)), comma(len(d.New)), comma(len(d.Left)))
	if len(d.Unknown) > 0 {
		text += ", " + comma(len(d.Unknown)) + " unknown"
	}
	if err := s.printWrapped(w, "", text); err != nil {
		return err
	}
	if err := s.printWrapped(w, "", totalsMoved(d.Before, d.Now)); err != nil {
		return err
	}
	if err := diffTable(w, d, s); err != nil {
		return err
	}
	if conclusion := diffConclusion(d); conclusion != "" {
		if err := s.printWrapped(w, "", conclusion); err != nil {
			return err
		}
	}
	return unreadable(w, "", n.Gaps, s)
}

func totalsMoved(before, now MountTotals) string {
	threads := moved(before.KernelThreads, now.KernelThreads) + " kernel threads"
	if before.ThreadsUnseen || now.ThreadsUnseen {
		threads = "kernel threads that cannot be seen in there"
	}
	return fmt.Sprintf("%s leaked volumes, %s leaked mounts; %s mounts, %s in all namespaces, %s devices, %s",
		moved(before.LeakedVolumes, now.LeakedVolumes), moved(before.LeakedMounts, now.LeakedMounts), moved(before.HostMounts, now.HostMounts),
		moved(before.AllMounts, now.AllMounts), moved(before.Devices, now.Devices), threads)
}

// diffConclusion is what is left, where the table does not say it.
func diffConclusion(d *MountsDiff) string {
	switch {
	case d.Now.UnknownVolumes > 0:
		return english.Plural(d.Now.UnknownVolumes, "volume", "") + " could not be judged (kubectl nodedoc mounts NODE says why)"
	case len(d.Left)+len(d.New) > 0:
		return ""
	case len(d.Gone) == 0:
		return "nothing is leaked, as before"
	}
	return "nothing that is leaked is left"
}

// moved is "26,522 → 214", or the number alone where it stays.
func moved(before, now int) string {
	if before == now {
		return comma(now)
	}
	return comma(before) + " → " + comma(now)
}

// diffTable: what is new, left and unknown comes before what is gone.
func diffTable(w io.Writer, d *MountsDiff, s Style) error {
	var rows [][]string
	for _, part := range []struct {
		word    string
		changes []VolumeChange
	}{{"new", d.New}, {"left", d.Left}, {"", d.Unknown}, {"gone", d.Gone}} {
		for _, c := range part.changes {
			word, mounts := part.word, moved(c.Before, c.Now)
			switch {
			case word == "":
				word, mounts = string(c.State), comma(c.Before)+" → ?"
			case c.State != "":
				word += ", now " + string(c.State)
			case c.Was != "":
				word += ", was " + string(c.Was)
			}
			rows = append(rows, []string{word, c.Name, c.Driver, c.Device, mounts, reasonWords(c.Why)})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	all := len(rows)
	if s.Top > 0 {
		rows = rows[:min(all, s.Top)]
	}
	columns := []column{{title: "CHANGE"}, {title: "VOLUME", least: 16}, {title: "DRIVER", least: 8, drop: 1}, {title: "DEVICE", drop: 2},
		{title: "MOUNTS", right: true}, {title: "REASONS", least: 12, drop: 3}}
	if err := printTable(w, columns, rows, s.tableWidth(), s.bold()); err != nil {
		return err
	}
	if more := all - len(rows); more > 0 {
		return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more (--top 0 shows all)", comma(more))))
	}
	return nil
}

func reasonWords(why []correlate.LeakReason) string {
	words := make([]string, 0, len(why))
	for _, r := range why {
		if !slices.Contains(words, string(r)) { // a device has errors by two sources
			words = append(words, string(r))
		}
	}
	return strings.Join(words, ",")
}
