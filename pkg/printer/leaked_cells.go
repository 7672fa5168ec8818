package printer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func leakedColumns() []column {
	return []column{
		{title: "NODE", least: 10},
		{title: "VOLUME", least: 16},
		{title: "DRIVER", least: 8, drop: 3},
		{title: "DEVICE", drop: 5},
		{title: "REASONS", least: 24},
		{title: "MOUNTS", right: true},
		{title: "COPIES", right: true, drop: 4},
		{title: "ALSO HELD BY", least: 12, drop: 2},
		{title: "SINCE", drop: 1},
		{title: "HANDLE"},
		{title: "CLAIM"},
		{title: "PIDS"},
		{title: "PATHS"},
	}
}

func leakedCells(v correlate.Volume, group holderKey, many bool, s Style) []string {
	cells := []string{"", v.Name, driverCell(v), DeviceName(v), reasonsCell(v), comma(max(len(v.Mounts), v.Leaked)), "", alsoHeldBy(v, group), "", "", "", "", ""}
	if many {
		cells[0] = v.Node
	}
	if v.Copies > 0 {
		cells[6] = comma(v.Copies)
	}
	if v.Since != nil {
		cells[8] = v.Since.UTC().Format("2006-01-02T15:04Z")
	}
	if s.Wide {
		cells[9], cells[10], cells[11], cells[12] = v.Handle, v.Claim, pidsCell(v), pathsCell(v)
	}
	return cells
}

func driverCell(v correlate.Volume) string {
	if v.Driver == "" {
		return v.Type
	}
	return v.Driver
}

// DeviceName is how a person calls a volume's device, "" where it has none.
func DeviceName(v correlate.Volume) string {
	switch d := v.Device; {
	case d == nil:
		return ""
	case d.DMName != "":
		return d.DMName
	case d.Name != "":
		return d.Name
	default:
		return d.Number
	}
}

func reasonsCell(v correlate.Volume) string {
	why := make([]correlate.LeakReason, 0, len(v.Reasons))
	for _, r := range v.Reasons {
		why = append(why, r.Reason)
	}
	text := reasonWords(why)
	if v.State != correlate.VolumeLeaked && v.Leaked > 0 {
		text = fmt.Sprintf("%d of %d mounts: %s", v.Leaked, len(v.Mounts), text)
	}
	return text
}

// alsoHeldBy names the others: namespaces, and processes at work on it.
func alsoHeldBy(v correlate.Volume, group holderKey) string {
	var others []string
	add := func(who string) {
		for _, o := range others {
			if o == who {
				return
			}
		}
		others = append(others, who)
	}
	for _, h := range v.Holders {
		if keyOfHolder(h) != group {
			add(ownerCell(h.Owner))
		}
	}
	for _, p := range v.Processes {
		add(fmt.Sprintf("%d %s (%s)", p.PID, p.Comm, p.What))
	}
	return someOf(others, 2)
}

func pidsCell(v correlate.Volume) string {
	pids := make([]string, 0, len(v.Holders))
	for _, h := range v.Holders {
		pid := strconv.Itoa(h.PID)
		if h.PID > 0 && !slices.Contains(pids, pid) { // a dead container has none, one may have several entries
			pids = append(pids, pid)
		}
	}
	return strings.Join(pids, ",")
}

func pathsCell(v correlate.Volume) string {
	paths := make([]string, 0, len(v.Mounts))
	for _, m := range v.Mounts {
		paths = append(paths, m.Point)
	}
	return strings.Join(paths, " ")
}
