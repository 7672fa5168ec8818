package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// IDs of the rules about processes and threads.
const (
	TasksNodeLimit     = "tasks-node-limit"
	TasksPodLimit      = "tasks-pod-limit"
	TasksKernelThreads = "tasks-kernel-threads"
	TasksBlocked       = "tasks-blocked"
	TasksZombies       = "tasks-zombies"
)

const tasksPerFindingMax = 10 // owners named per rule

// tasksNodeLimit: at kernel.pid_max or kernel.threads-max, whichever is lower,
// fork and clone fail with EAGAIN for everybody: "Resource temporarily
// unavailable", "unable to create new native thread".
func tasksNodeLimit(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	t := n.Tasks(correlate.TaskOptions{})
	u := t.Usage
	if u == nil || u.Percent < limitWarning {
		return nil
	}
	f := Finding{Severity: Warning, CausedBy: ids(earlier, TasksKernelThreads, TasksZombies, TasksBlocked, TasksPodLimit),
		Summary:  fmt.Sprintf("the node has %.1f %% of the threads that it may have", u.Percent),
		Evidence: []string{fmt.Sprintf("%s threads exist, %s is %s; at the limit every fork fails (EAGAIN)", comma(u.Total), u.Limit, comma(u.Max))},
		Remedy:   []Step{{Do: "stop who has them, the top of the list"}}}
	if u.Percent >= limitCritical {
		f.Severity = Critical
	}
	for _, row := range t.Rows[:min(holdersNamedMax, len(t.Rows))] {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s has %s of them", Title(row.Owner), comma(uint64(row.Tasks))))
	}
	const pidMaxLimit = 4_194_304 // PID_MAX_LIMIT on 64 bits
	if next := 2 * u.Max; u.Limit != "kernel.pid_max" || next <= pidMaxLimit {
		f.Remedy = append(f.Remedy, Step{Do: "to win time, on the node", Run: fmt.Sprintf("sysctl -w %s=%d", u.Limit, next)})
	}
	return []Finding{f}
}

func comma(n uint64) string { return humanize.Comma(int64(min(n, 1<<62))) }
