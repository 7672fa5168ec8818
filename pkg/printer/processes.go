package printer

import (
	"fmt"
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Processes prints a list of processes that were looked for, with notes below.
func Processes(w io.Writer, rows []correlate.ProcessRow, notes []string, gaps []report.Unreadable, s Style) error {
	columns := []column{{title: "PID", right: true}, {title: "PPID", right: true, drop: 4}, {title: "AGE", right: true, drop: 2},
		{title: "STATE", drop: 1}, {title: "OWNER", least: 14}, {title: "CONTAINER", least: 9, drop: 3}, {title: "HOLDS", least: 16}, {title: "COMMAND", least: 12}}
	cells := make([][]string, 0, len(rows))
	for _, r := range rows {
		age, state := "", ""
		if r.AgeSeconds > 0 {
			age = humanSeconds(r.AgeSeconds)
		}
		if s.Wide {
			state = r.State
		}
		cells = append(cells, []string{fmt.Sprint(r.PID), fmt.Sprint(r.PPID), age, state, ownerCell(r.Owner), containerCell(r.Owner), r.Holds, r.Command})
	}
	if err := printTable(w, columns, cells, s.tableWidth(), s.bold()); err != nil {
		return err
	}
	for _, n := range notes {
		if err := s.printWrapped(w, "note ", n); err != nil {
			return err
		}
	}
	return unreadable(w, "", gaps, s)
}
