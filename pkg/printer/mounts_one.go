package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// oneNodesMounts prints a node's totals, their breakdowns, and what is leaked.
func oneNodesMounts(w io.Writer, n MountsNode, s Style) error {
	if err := s.printWrapped(w, "", mountsHead(n, s)); err != nil {
		return err
	}
	for _, b := range []struct {
		title string
		rows  []correlate.MountCount
	}{{"FILESYSTEM", n.ByFilesystem}, {"DRIVER", n.ByDriver}, {"OWNER", n.ByOwner}} {
		if err := breakdown(w, b.title, b.rows, s); err != nil {
			return err
		}
	}
	if len(leakedOf([]MountsNode{n})) > 0 || n.Leaked.Unknown > 0 {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return LeakedVolumes(w, []MountsNode{n}, s)
}

func mountsHead(n MountsNode, s Style) string {
	threads := english.Plural(n.KernelThreads, "kernel thread", "") + " of theirs"
	if n.ThreadsUnseen {
		threads = "whose kernel threads cannot be seen in there"
	}
	text := fmt.Sprintf("%s: %s, %s in all %s, %s, %s", s.bold()(n.Node), english.Plural(n.HostMounts, "mount", ""),
		comma(n.AllMounts), english.Plural(n.Namespaces, "mount namespace", ""), english.Plural(n.Devices, "device", ""), threads)
	if k := n.Kubelet; k != nil {
		if k.CPUPercent != nil {
			text += fmt.Sprintf("; kubelet %.0f %% of a core", *k.CPUPercent)
		}
		if k.RSSBytes > 0 {
			text += ", " + correlate.Size(uint64(k.RSSBytes))
		}
	}
	if n.KubeletNamespace > 0 {
		text += fmt.Sprintf("; these are the mounts of the kubelet's own mount namespace, which a shell on the node does not see (nsenter -t %d -m)", n.KubeletNamespace)
	}
	if n.Leaked.Volumes == 0 && n.Leaked.Mounts == 0 {
		return text
	}
	return text + "; " + severityPaint(diagnose.Warning, s)(leakWords(n.Leaked))
}

// breakdownRows of each kind are shown where not all are asked for.
const breakdownRows = 8

func breakdown(w io.Writer, title string, counts []correlate.MountCount, s Style) error {
	if len(counts) == 0 {
		return nil
	}
	shown := counts
	if s.Top > 0 {
		shown = counts[:min(len(counts), breakdownRows, s.Top)]
	}
	rows := make([][]string, 0, len(shown))
	for _, c := range shown {
		leaked := ""
		if c.Leaked > 0 {
			leaked = comma(c.Leaked)
		}
		rows = append(rows, []string{comma(c.Mounts), comma(c.Devices), leaked, c.Name})
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	columns := []column{{title: "MOUNTS", right: true}, {title: "DEVICES", right: true, drop: 1}, {title: "LEAKED", right: true}, {title: title, least: 16}}
	if err := printTable(w, columns, rows, s.tableWidth(), s.bold()); err != nil {
		return err
	}
	rest := 0
	for _, c := range counts[len(shown):] {
		rest += c.Mounts
	}
	if rest == 0 {
		return nil
	}
	return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more with %s (--top 0 shows all)", comma(len(counts)-len(shown)), english.Plural(rest, "mount", ""))))
}
