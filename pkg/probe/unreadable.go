//go:build linux

package probe

import (
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// unreadable counts failed reads by what and why, so that 4,000 refused PIDs
// are one line.
type unreadable map[report.Unreadable]int

// add notes that what, a file's name without its PID, failed by err.
func (u unreadable) add(what string, err error) {
	const most = 64 // distinct ones; a report is bounded
	key := report.Unreadable{What: report.Escape(what), Cause: report.Escape(hostfs.Cause(err))}
	if _, known := u[key]; !known && len(u) >= most {
		key = report.Unreadable{What: "others", Cause: "too many different ones to list"}
	}
	u[key]++
}

func (u unreadable) list() []report.Unreadable {
	list := make([]report.Unreadable, 0, len(u))
	for key, n := range u {
		key.Count = n
		list = append(list, key)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return a.What < b.What || a.What == b.What && a.Cause < b.Cause
	})
	return list
}
