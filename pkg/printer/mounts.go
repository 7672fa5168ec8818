package printer

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Mounts prints what is mounted: of one node in detail, of many a row each.
func Mounts(w io.Writer, nodes []MountsNode, s Style) error {
	if len(nodes) == 1 && nodes[0].NodeMounts != nil {
		return oneNodesMounts(w, nodes[0], s)
	}
	rows := make([][]string, 0, len(nodes))
	for _, n := range sickestFirst(nodes) {
		rows = append(rows, mountsCells(n))
	}
	if err := printTable(w, mountsColumns(), rows, s.tableWidth(), s.bold()); err != nil {
		return err
	}
	if err := leakTotal(w, nodes, s); err != nil {
		return err
	}
	return fleetFindings(w, nodes, s)
}

func mountsColumns() []column {
	return []column{
		{title: "NODE", least: 12},
		{title: "MOUNTS", right: true, drop: 5},
		{title: "ALL", right: true, drop: 2},
		{title: "DEVICES", right: true, drop: 4},
		{title: "THREADS", right: true, drop: 3},
		{title: "LEAKED", right: true},
		{title: "LEAKED MOUNTS", right: true, drop: 4},
		{title: "UNKNOWN", right: true},
		{title: "KUBELET CPU", right: true, drop: 1},
		{title: "NO ANSWER", least: 20},
	}
}

func mountsCells(n MountsNode) []string {
	cells := make([]string, 10)
	cells[0] = n.Node
	if n.NodeMounts == nil {
		cells[9] = noAnswer(n)
		return cells
	}
	for i, v := range map[int]int{1: n.HostMounts, 2: n.AllMounts, 3: n.Devices, 4: n.KernelThreads, 5: n.Leaked.Volumes, 6: n.Leaked.Mounts} {
		cells[i] = comma(v)
	}
	if n.ThreadsUnseen {
		cells[4] = "?"
	}
	if n.Leaked.Unknown > 0 {
		cells[7] = comma(n.Leaked.Unknown)
	}
	cells[8] = kubeletCell(n.Kubelet)
	return cells
}

// noAnswer is why a node has none; a failure is what an error says of it. The
// row says which node it is, and a narrow one shows the first words only.
func noAnswer(n MountsNode) string {
	why := strings.TrimPrefix(n.Reason, fmt.Sprintf("node %q ", n.Node))
	if _, rest, ok := strings.Cut(why, fmt.Sprintf(" on node %q: ", n.Node)); ok && strings.HasPrefix(why, "failed to start pod ") {
		why = rest
	}
	if n.State == NodeFailed && !strings.HasPrefix(n.Reason, "not ready") {
		return "failed: " + why
	}
	return cmp.Or(why, string(n.State))
}

func kubeletCell(k *correlate.KubeletUse) string {
	if k == nil || k.CPUPercent == nil {
		return ""
	}
	return fmt.Sprintf("%.0f%%", *k.CPUPercent)
}

func comma(n int) string { return humanize.Comma(int64(n)) }

// sickestFirst orders by leaked volumes, those without an answer last.
func sickestFirst(nodes []MountsNode) []MountsNode {
	rank := func(n MountsNode) int {
		if n.NodeMounts == nil {
			return -1
		}
		return n.Leaked.Volumes
	}
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b MountsNode) int { return cmp.Compare(rank(b), rank(a)) })
	return nodes
}

// leakTotal sums up what the table says of each node.
func leakTotal(w io.Writer, nodes []MountsNode, s Style) error {
	t := totalOf(nodes)
	if t.answered == 0 {
		return nil
	}
	if t.Unknown > 0 {
		text := english.Plural(t.Unknown, "volume", "") + " could not be judged (kubectl nodedoc mounts NODE says why)"
		if err := s.printWrapped(w, "", text); err != nil {
			return err
		}
	}
	if t.sick == 0 {
		return nothingLeaked(w, nodes, s)
	}
	text := fmt.Sprintf("%s on %s (kubectl nodedoc mounts NODE --leaked)", leakWords(t.LeakTotals), english.Plural(t.sick, "node", ""))
	return s.printWrapped(w, "", text)
}

// fleetTotal is the sum over nodes that have answered.
type fleetTotal struct {
	correlate.LeakTotals
	answered, sick, hostMounts int
}

func totalOf(nodes []MountsNode) fleetTotal {
	var t fleetTotal
	for _, n := range nodes {
		if n.NodeMounts == nil {
			continue
		}
		t.answered++
		t.hostMounts += n.HostMounts
		if n.Leaked.Volumes > 0 || n.Leaked.Mounts > 0 {
			t.sick++
		}
		t.Volumes += n.Leaked.Volumes
		t.Mounts += n.Leaked.Mounts
		t.Copies += n.Leaked.Copies
		t.AllMounts += n.Leaked.AllMounts
		t.Devices += n.Leaked.Devices
		t.KernelThreads += n.Leaked.KernelThreads
		t.Unknown += n.Leaked.Unknown
	}
	return t
}

// nothingLeaked says so, and how much was looked at.
func nothingLeaked(w io.Writer, nodes []MountsNode, s Style) error {
	t := totalOf(nodes)
	if t.answered == 0 {
		return nil
	}
	what := english.Plural(t.answered, "node", "")
	if len(nodes) == 1 {
		what = nodes[0].Node
	}
	text := fmt.Sprintf("no leaked volumes on %s, %s looked at", what, english.Plural(t.hostMounts, "mount", ""))
	if t.Unknown > 0 {
		text = fmt.Sprintf("no volume is known to be leaked on %s, %s looked at", what, english.Plural(t.hostMounts, "mount", ""))
	}
	return s.printWrapped(w, "", text)
}

// fleetFindings prints those of the sickest nodes.
func fleetFindings(w io.Writer, nodes []MountsNode, s Style) error {
	const most = 3
	shown, more := 0, 0
	var told []diagnose.Finding
	for _, n := range sickestFirst(nodes) {
		if len(n.Findings) == 0 {
			continue
		}
		if shown == most && s.Top > 0 && len(nodes) > most {
			more++
			continue
		}
		shown++
		if _, err := fmt.Fprintln(w, "\n"+s.bold()(n.Node)); err != nil {
			return err
		}
		if err := eachFinding(w, n.Findings, s); err != nil {
			return err
		}
		told = append(told, n.Findings...)
	}
	if more > 0 {
		if err := s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and findings on %s (kubectl nodedoc mounts NODE)", english.Plural(more, "more node", "")))); err != nil {
			return err
		}
	}
	return explainHint(w, told, s)
}
