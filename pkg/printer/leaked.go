package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// IsLeaked says whether a volume is, or a part of its mounts.
func IsLeaked(v correlate.Volume) bool { return v.State == correlate.VolumeLeaked || v.Leaked > 0 }

// leakedOf are the leaked volumes of all nodes.
func leakedOf(nodes []MountsNode) []correlate.Volume {
	var leaked []correlate.Volume
	for _, n := range nodes {
		if n.NodeMounts == nil {
			continue
		}
		for _, v := range n.Volumes {
			if IsLeaked(v) {
				v.Node = n.Node
				leaked = append(leaked, v)
			}
		}
	}
	return leaked
}

// LeakedVolumes prints them one by one, by who holds them: whoever holds most
// comes first. Then what they cost, and what to do.
func LeakedVolumes(w io.Writer, nodes []MountsNode, s Style) error {
	leaked := leakedOf(nodes)
	if len(leaked) == 0 {
		if err := nothingLeaked(w, nodes, s); err != nil {
			return err
		}
	} else {
		if err := leakedTables(w, leaked, len(nodes) > 1, s); err != nil {
			return err
		}
		if err := leakCost(w, nodes, s); err != nil {
			return err
		}
	}
	if err := unknownVolumes(w, nodes, s); err != nil {
		return err
	}
	for _, n := range nodes {
		prefix := ""
		if len(nodes) > 1 {
			prefix = n.Node + ": "
		}
		if n.NodeMounts == nil {
			if err := s.printWrapped(w, "", n.Node+": no answer: "+noAnswer(n)); err != nil {
				return err
			}
			continue
		}
		if err := unreadable(w, prefix, n.Gaps, s); err != nil {
			return err
		}
	}
	if len(nodes) == 1 {
		return Findings(w, nodes[0].Findings, s)
	}
	return fleetFindings(w, nodes, s)
}

// leakedTables prints a table for each group of holders, of --top rows together.
func leakedTables(w io.Writer, leaked []correlate.Volume, many bool, s Style) error {
	room := len(leaked)
	if s.Top > 0 {
		room = min(room, s.Top)
	}
	hidden := len(leaked) - room
	for i, g := range groupByHolder(leaked) {
		if i > 0 && room > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if room == 0 {
			break
		}
		if err := s.printWrapped(w, "", g.head(s)); err != nil {
			return err
		}
		shown := g.volumes[:min(len(g.volumes), room)]
		room -= len(shown)
		rows := make([][]string, 0, len(shown))
		for _, v := range shown {
			rows = append(rows, leakedCells(v, g.key, many, s))
		}
		if err := printTable(w, leakedColumns(), rows, s.tableWidth(), s.bold()); err != nil {
			return err
		}
	}
	if hidden > 0 {
		if err := s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more (--top 0 shows all)", comma(hidden)))); err != nil {
			return err
		}
	}
	return nil
}

// unknownVolumes says which could not be judged, and how to get the rights.
func unknownVolumes(w io.Writer, nodes []MountsNode, s Style) error {
	reasons := map[string][]string{}
	var order []string
	forbidden := false
	for _, n := range nodes {
		if n.NodeMounts == nil {
			continue
		}
		for _, v := range n.Volumes {
			if v.State != correlate.VolumeUnknown {
				continue
			}
			if reasons[v.Unknown] == nil {
				order = append(order, v.Unknown)
			}
			reasons[v.Unknown] = append(reasons[v.Unknown], v.Name)
			forbidden = forbidden || strings.Contains(v.Unknown, "forbidden")
		}
		forbidden = forbidden || slices.ContainsFunc(n.Gaps, func(u report.Unreadable) bool { return n.Leaked.Unknown > 0 && strings.Contains(u.Cause, "forbidden") })
	}
	for _, why := range order {
		volumes := reasons[why]
		text := english.Plural(len(volumes), "volume", "") + " could not be judged: " + why + " (" + someOf(volumes, 3) + ")"
		if err := s.printWrapped(w, "unknown  ", text); err != nil {
			return err
		}
	}
	if !forbidden {
		return nil
	}
	return remedy(w, diagnose.Step{Do: "get these rights", Run: storageRights}, "", s)
}

// storageRights makes the role that lists volumes and who uses them. Who gets it is not ours to say.
const storageRights = "kubectl create clusterrole nodedoc-volumes --verb=list --resource=pods,persistentvolumes,volumeattachments.storage.k8s.io,csidrivers.storage.k8s.io"

func someOf(names []string, most int) string {
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + ", … " + comma(more) + " more"
	}
	return strings.Join(names, ", ")
}
