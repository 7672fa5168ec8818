package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func memoryRanking(w io.Writer, m correlate.NodeMemory, s Style) error {
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	if err := filterMemory(w, m, s); err != nil {
		return err
	}
	shown := m.Rows
	if s.Top > 0 {
		shown = shown[:min(s.Top, len(shown))]
	}
	rows := make([][]string, 0, len(shown))
	for _, row := range shown {
		rows = append(rows, memoryCells(row, m.Seconds, s))
	}
	if len(rows) > 0 {
		if err := printTable(w, memoryColumns(m.By), rows, s.tableWidth(), s.bold()); err != nil {
			return err
		}
	}
	rest, sum := m.Rows[len(shown):], uint64(0)
	for _, row := range rest {
		sum += row.WorkingSet
	}
	if len(rest) == 0 {
		return nil
	}
	return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more with %s (--top 0 shows all)", humanize.Comma(int64(len(rest))), correlate.Size(sum))))
}

func memoryColumns(by correlate.By) []column {
	owner := "OWNER"
	if by == correlate.ByUser {
		owner = "USER"
	}
	return []column{{title: "MEMORY", right: true}, {title: "SHARE", right: true, drop: 3}, {title: "GROWTH", right: true, drop: 7},
		{title: owner, least: 24}, {title: "CONTAINER", least: 9, drop: 4}, {title: "WORKLOAD", least: 10, drop: 2},
		{title: "HEAVIEST", least: 14, drop: 5}, {title: "LIMIT", drop: 6}, {title: "KILLS", right: true, drop: 8}, {title: "REQUEST", right: true, drop: 1},
		{title: "ANON", right: true}, {title: "CACHE", right: true}, {title: "TMPFS", right: true}, {title: "KERNEL", right: true}, {title: "SWAP", right: true},
		{title: "RSS", right: true}, {title: "PSS", right: true}, {title: "VOLUMES IN MEMORY"}, {title: "OOM RISK"}}
}

func memoryCells(row correlate.MemoryRow, seconds float64, s Style) []string {
	container := containerCell(row.Owner)
	if container == "" {
		container = row.Container
	}
	cells := []string{correlate.Size(row.WorkingSet), fmt.Sprintf("%.1f%%", row.Percent), growthCell(row.PerSecond, seconds), ownerCell(row.Owner), container,
		rowWorkload(row.Owner), memoryHeaviest(row, s), memoryLimitCell(row), killsCell(row.OOMKills), "", "", "", "", "", "", "", "", "", ""}
	if !s.Wide {
		return cells
	}
	wide := cells[len(cells)-10:]
	for i, n := range []uint64{row.Request, row.Anon, row.File, row.Shmem, row.Kernel, row.Swap, row.RSS} {
		wide[i] = sizeCell(n)
	}
	if row.PSS != nil {
		wide[7] = correlate.Size(*row.PSS)
	}
	wide[8], wide[9] = volumesCell(row.Volumes), row.Risk
	return cells
}

// memoryHeaviest is the largest process, or what it is that no process has.
func memoryHeaviest(row correlate.MemoryRow, s Style) string {
	h := row.Heaviest
	if h == nil {
		return row.Note
	}
	text := fmt.Sprintf("%d %s", h.PID, command(h.Comm, h.Cmdline, s))
	if row.PID == 0 && row.Processes > 1 {
		text += fmt.Sprintf(" (%s)", correlate.Size(h.RSS))
	}
	return text
}

// memoryLimitCell is how much the fullest container has of its limit.
func memoryLimitCell(row correlate.MemoryRow) string {
	u := row.Fullest
	if u == nil {
		return ""
	}
	return fmt.Sprintf("%.0f%% of %s", u.Percent, correlate.Size(u.Limit))
}

// killsCell: neither none nor unknown is worth a cell.
func killsCell(n *int) string {
	if n == nil {
		return ""
	}
	return countCell(*n)
}

func sizeCell(n uint64) string {
	if n == 0 {
		return ""
	}
	return correlate.Size(n)
}

func volumesCell(volumes []correlate.MemoryVolumeUse) string {
	text := ""
	for i, v := range volumes {
		if i > 0 {
			text += ", "
		}
		text += v.Name
		if v.Used != nil {
			text += " " + correlate.Size(*v.Used)
		}
		if v.Limit > 0 {
			text += " of " + correlate.Size(v.Limit)
		}
	}
	return text
}
