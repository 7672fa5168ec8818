//go:build linux

package probe

import (
	"context"
	"os"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Bounds of what is told of OOM kills.
const (
	maxOOMKills = 1000
	maxOOMTasks = 10
)

// collectOOM reads the kernel's log, which keeps what it had, for processes that
// were killed for memory.
func collectOOM(_ context.Context, r run) (publish, error) {
	log, err := hostfs.ReadKernelLog(r.fs)
	if err != nil {
		bad := unreadable{}
		bad.add("kernel log", err)
		return func(r *run) { r.report.OOM = &report.OOM{Unreadable: bad.list()} }, nil
	}
	o := &report.OOM{Sources: []string{"kernel log"}}
	found := hostfs.OOMLog{PageBytes: uint64(os.Getpagesize()), MaxKills: maxOOMKills, MaxTasks: maxOOMTasks}
	hostfs.EachKernelLine(log, func(l hostfs.KernelLine) {
		if o.LogFrom == nil {
			o.LogFrom = afterBoot(l.Seconds)
		}
		found.Add(l)
	})
	for i := range found.Kills {
		o.Kills = append(o.Kills, oomKill(&found.Kills[i]))
	}
	o.Left = found.Left
	return func(r *run) { r.report.OOM = o }, nil
}

// afterBoot is nil for a line without a time.
func afterBoot(s float64) *float64 {
	if s < 0 {
		return nil
	}
	return &s
}

func oomKill(k *hostfs.OOMKill) report.OOMKill {
	out := report.OOMKill{
		At: afterBoot(k.Seconds), PID: k.PID, Comm: report.Escape(k.Comm), UID: k.UID,
		TotalVM: k.TotalVM, AnonRSS: k.AnonRSS, FileRSS: k.FileRSS, ShmemRSS: k.ShmemRSS, PageTables: k.PageTables, ScoreAdj: k.ScoreAdj,
		LimitCgroup: report.Escape(k.LimitCgroup), Cgroup: report.Escape(k.Cgroup), Usage: k.Usage, Limit: k.Limit,
		Invoker: report.Escape(k.Invoker), InvokerPID: k.InvokerPID, Group: k.Group,
	}
	switch k.Constraint {
	case "CONSTRAINT_NONE":
		out.Constraint = report.OOMNode
	case "CONSTRAINT_MEMCG":
		out.Constraint = report.OOMCgroup
	case "CONSTRAINT_CPUSET":
		out.Constraint = report.OOMCpuset
	case "CONSTRAINT_MEMORY_POLICY":
		out.Constraint = report.OOMMemoryPolicy
	}
	if k.SysRq {
		out.By = "SysRq"
	}
	for _, t := range k.Largest {
		out.Largest = append(out.Largest, report.OOMTask{PID: t.PID, Comm: report.Escape(t.Comm), RSS: t.RSS, ScoreAdj: t.ScoreAdj})
	}
	return out
}
