package printer

import (
	"fmt"
	"io"
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
		case n.NodeMounts == nil:
			err = s.printWrapped(w, "", n.Node+": no answer: "+noAnswer(n))
		case n.Diff == nil:
			err = s.printWrapped(w, "", n.Node+": "+n.Reason)
		default:
			err = mountsDiff(w, n.Node, n.Diff, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func mountsDiff(w io.Writer, node string, d *MountsDiff, s Style) error {
	text := s.bold()(node)
	if d.Since != nil {
		text += " since " + d.Since.UTC().Format(time.RFC3339)
	}
	if d.Rebooted {
		text += ", rebooted meanwhile"
	}
	text += fmt.Sprintf(": %s gone, %s new, %s left", english.Plural(len(d.Gone), "leaked volume", ""), comma(len(d.New)), comma(len(d.Left)))
	if err := s.printWrapped(w, "", text); err != nil {
		return err
	}
	totals := fmt.Sprintf("%s mounts, %s in all namespaces, %s devices, %s kernel threads; leaked: %s mounts", moved(d.Before.HostMounts, d.Now.HostMounts),
		moved(d.Before.AllMounts, d.Now.AllMounts), moved(d.Before.Devices, d.Now.Devices), moved(d.Before.KernelThreads, d.Now.KernelThreads),
		moved(d.Before.LeakedMounts, d.Now.LeakedMounts))
	if err := s.printWrapped(w, "", totals); err != nil {
		return err
	}
	if err := diffTable(w, d, s); err != nil {
		return err
	}
	if len(d.Left)+len(d.New) > 0 {
		return nil
	}
	return s.printWrapped(w, "", "nothing that is leaked is left")
}

// moved is "26,522 → 214", or the number alone where it stays.
func moved(before, now int) string {
	if before == now {
		return comma(now)
	}
	return comma(before) + " → " + comma(now)
}

// diffTable: what is new and left comes before what is gone.
func diffTable(w io.Writer, d *MountsDiff, s Style) error {
	var rows [][]string
	for _, part := range []struct {
		word    string
		changes []VolumeChange
	}{{"new", d.New}, {"left", d.Left}, {"gone", d.Gone}} {
		for _, c := range part.changes {
			word := part.word
			if c.State != "" {
				word += ", now " + string(c.State)
			}
			rows = append(rows, []string{word, c.Name, c.Driver, c.Device, moved(c.Before, c.Now), reasonWords(c.Why)})
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
		words = append(words, string(r))
	}
	return strings.Join(words, ",")
}
