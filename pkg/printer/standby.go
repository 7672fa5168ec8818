package printer

import (
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// StandbyRow is a sleeping probe on a node.
type StandbyRow struct {
	Node, State, Kept, Version, Pod string
}

// Standbys prints where sleeping probes are.
func Standbys(w io.Writer, all []StandbyRow, s Style) error {
	columns := []column{{title: "NODE", least: 12}, {title: "STANDBY", least: 12}, {title: "LAST REPORT", least: 12}, {title: "VERSION", least: 8, drop: 2}, {title: "POD", least: 16, drop: 1}}
	rows := make([][]string, 0, len(all))
	for _, r := range all {
		row := []string{r.Node, r.State, r.Kept, r.Version, r.Pod}
		for i := range row {
			row[i] = report.Clean(row[i])
		}
		rows = append(rows, row)
	}
	return printTable(w, columns, rows, s.tableWidth(), s.bold())
}
