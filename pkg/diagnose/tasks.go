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
	TasksServer        = "tasks-server"
	TasksBlocked       = "tasks-blocked"
	TasksZombies       = "tasks-zombies"
)

func tasksNodeWarning() Threshold {
	return warningAt(TasksNodeLimit, "of the threads that the node may have")
}
func tasksNodeCritical() Threshold {
	return criticalAt(TasksNodeLimit, "of the threads that the node may have")
}

func tasksNodeLimitRule() Rule {
	return Rule{
		ID: TasksNodeLimit, find: tasksNodeLimit,
		Title:      "the node comes near its limit of threads",
		Thresholds: []Threshold{tasksNodeWarning(), tasksNodeCritical()},
		Page: Page{
			Means: "Each process and thread, of programs and the kernel's own, has a number below kernel.pid_max, and there may be kernel.threads-max of them. At the lower of the two fork and clone fail with EAGAIN for everybody: \"Resource temporarily unavailable\", \"unable to create new native thread\".",
			Computed: []string{
				"The kernel's own total in /proc/loadavg, which counts every pid namespace, against the lower of kernel.pid_max and kernel.threads-max. From {warning} on it is a finding, from {critical} on a critical one.",
				"Kernel threads for devices, zombies, blocked threads and pods at their own limits are named as causes, where there is such a finding.",
			},
			Source: []string{"Documentation/admin-guide/sysctl/kernel.rst: pid_max, threads-max; proc_loadavg(5)"},
			Do: []string{
				"Stop who has them: kubectl nodedoc tasks NODE ranks all owners.",
				fmt.Sprintf("To win time raise the sysctl that the finding names; pid_max goes up to %s on 64 bits.", comma(pidMaxLimit)),
			},
			Fooled: []string{
				"A limit of its own, of a pod, a unit or a user (RLIMIT_NPROC), may be reached long before.",
				"From Linux 6.14 on a pid namespace may have a pid_max of its own.",
			},
		},
	}
}

const pidMaxLimit = 4_194_304 // PID_MAX_LIMIT on 64 bits

// tasksNodeLimit: at kernel.pid_max or kernel.threads-max, whichever is lower,
// fork and clone fail with EAGAIN for everybody: "Resource temporarily
// unavailable", "unable to create new native thread".
func tasksNodeLimit(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	t := n.Tasks(correlate.TaskOptions{})
	u := t.Usage
	if u == nil || u.Percent < limits.In(tasksNodeWarning()) {
		return nil
	}
	f := Finding{Severity: Warning, CausedBy: ids(earlier, TasksKernelThreads, TasksZombies, TasksBlocked, TasksPodLimit),
		Summary:  fmt.Sprintf("the node has %.1f %% of the threads that it may have", u.Percent),
		Evidence: []string{fmt.Sprintf("%s threads exist, %s is %s; at the limit every fork fails (EAGAIN)", comma(u.Total), u.Limit, comma(u.Max))},
		Remedy:   []Step{{Do: "stop who has them, the top of the list"}}}
	if u.Percent >= limits.In(tasksNodeCritical()) {
		f.Severity = Critical
	}
	for _, row := range t.Rows[:min(holdersNamedMax, len(t.Rows))] {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s has %s of them", Title(row.Owner), comma(uint64(row.Tasks))))
	}
	if next := 2 * u.Max; u.Limit != "kernel.pid_max" || next <= pidMaxLimit {
		f.Remedy = append(f.Remedy, Step{Do: "to win time, on the node", Run: fmt.Sprintf("sysctl -w %s=%d", u.Limit, next)})
	}
	return []Finding{f}
}

func comma(n uint64) string { return humanize.Comma(int64(min(n, 1<<62))) }
