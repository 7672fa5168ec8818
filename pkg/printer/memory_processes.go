package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Processes shown unless all are, and those of them that are explained.
const memoryProcessesShown, memoryExplained = 5, 3

// memoryProcesses lists the largest, and why those of the host run.
func memoryProcesses(w io.Writer, m correlate.NodeMemory, s Style) error {
	if m.By == correlate.ByProcess && !s.Wide {
		return memoryWhys(w, m.Processes, s)
	}
	t := tasksSection{most: memoryProcessesShown, what: "processes", columns: []column{{title: "RESIDENT", right: true}, {title: "PSS", right: true, drop: 1}, {title: "SWAP", right: true, drop: 2},
		{title: "GROWTH", right: true, drop: 6}, {title: "PROCESS", least: 14}, {title: "AGE", right: true, drop: 3}, {title: "OWNER", least: 24}, {title: "CONTAINER", least: 9, drop: 4}, {title: "ADJ", right: true, drop: 5}}}
	for _, p := range m.Processes {
		pss, adj := "", ""
		if p.PSS != nil && s.Wide {
			pss = correlate.Size(*p.PSS)
		}
		if p.ScoreAdj != nil && s.Wide {
			adj = fmt.Sprint(*p.ScoreAdj)
		}
		t.rows = append(t.rows, []string{correlate.Size(p.RSS), pss, sizeCell(p.Swap), growthCell(p.PerSecond, m.Seconds), fmt.Sprintf("%d %s", p.PID, command(p.Comm, p.Cmdline, s)),
			ageCell(p.Age), ownerCell(p.Owner), containerCell(p.Owner), adj})
	}
	if !s.Wide { // no note on those beyond: the ranking is what counts
		t.rows = t.rows[:min(len(t.rows), memoryProcessesShown)]
	}
	if err := t.print(w, s); err != nil {
		return err
	}
	return memoryWhys(w, m.Processes, s)
}

func ageCell(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	return humanSeconds(seconds)
}

// memoryWhys explains the largest that can be.
func memoryWhys(w io.Writer, list []correlate.MemoryProcess, s Style) error {
	explained := 0
	for _, p := range list[:min(len(list), memoryProcessesShown)] {
		lines := whyLines(p, s)
		if len(lines) == 0 || explained == memoryExplained && !s.Wide {
			continue
		}
		explained++
		if _, err := fmt.Fprintf(w, "\n%s\n", s.bold()(fmt.Sprintf("%d %s", p.PID, p.Comm))); err != nil {
			return err
		}
		for _, line := range lines {
			if line[1] == "" {
				continue
			}
			if err := s.printWrapped(w, fmt.Sprintf("  %-10s ", line[0]), line[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// whyLines say why a process runs, and what misleads about it. A daemon that
// started with the node needs no explanation.
func whyLines(p correlate.MemoryProcess, s Style) [][2]string {
	var lines [][2]string
	if b := p.Background; b != nil && (len(b.Timers) > 0 || b.Cron != nil || b.Session != nil || p.Misleading != "") {
		lines = backgroundLines(correlate.Identity{Background: *b}, s)
		lines = append(lines, siblingLines(correlate.Identity{Background: *b}, s)...)
	}
	if p.Misleading != "" {
		lines = append(lines, [2]string{"misleads", p.Misleading})
	}
	return lines
}

// memoryKills are those whom the kernel has killed.
func memoryKills(w io.Writer, m correlate.NodeMemory, s Style) error {
	t := tasksSection{most: 8, what: "victims of OOM kills", columns: []column{{title: "OOM KILLS", right: true}, {title: "LAST"}, {title: "OWNER", least: 18}, {title: "CONTAINER", least: 9, drop: 1},
		{title: "PROCESS", least: 10}, {title: "HAD", right: true, drop: 3}, {title: "LIMIT OF", drop: 4}, {title: "KNOWN BY", drop: 2}}}
	for _, v := range m.OOMKills {
		had := uint64(0)
		for _, part := range []*uint64{v.Kill.AnonRSS, v.Kill.FileRSS, v.Kill.ShmemRSS} {
			if part != nil {
				had += *part
			}
		}
		by := ""
		if s.Wide {
			by = knownBy(v)
		}
		t.rows = append(t.rows, []string{fmt.Sprint(v.Kills), agoCell(v.Last, m.Time, s), ownerCell(v.Owner), containerCell(v.Owner), strings.TrimSpace(fmt.Sprintf("%s %s", pidCell(v.Kill.PID), v.Comm)), sizeCell(had), v.Scope, by})
	}
	return t.print(w, s)
}

func knownBy(v correlate.OOMVictim) string {
	switch {
	case v.APIOnly:
		return "API server"
	case v.API:
		return "kernel log, API server"
	}
	return strings.Join(append([]string{"kernel log"}, v.NamedBy...), ", ")
}

// memoryEvictions are pods that the kubelet has evicted.
func memoryEvictions(w io.Writer, m correlate.NodeMemory, s Style) error {
	t := tasksSection{most: 5, what: "evicted pods", columns: []column{{title: "EVICTED"}, {title: "", drop: 2}, {title: "POD", least: 18}, {title: "WORKLOAD", least: 10, drop: 1}, {title: "BECAUSE", least: 20}}}
	for _, e := range m.Evictions {
		refused := ""
		if e.Refused {
			refused = "refused"
		}
		t.rows = append(t.rows, []string{agoCell(e.At, m.Time, s), refused, ownerCell(e.Owner), rowWorkload(e.Owner), e.Message})
	}
	return t.print(w, s)
}
