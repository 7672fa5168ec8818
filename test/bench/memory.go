//go:build linux

package main

import (
	"errors"
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memory: what processes hold, and what cgroups do.
func (b *bench) memory() (err error) {
	processes, owners := 2000, 1000
	if b.small {
		processes, owners = 20, 10
	}
	crowd, err := b.crowd(processes, 10, 1)
	if err != nil {
		return err
	}
	mount, remove, err := b.memoryCgroups(crowd, owners)
	// A cgroup is removed when it is empty.
	defer func() { err = errors.Join(err, crowd.leave(), remove()) }()
	if err != nil {
		return err
	}
	table := report.NewRequest(report.CollectProcesses)
	table.Memory = true
	all := report.NewRequest(report.CollectProcesses, report.CollectMemory)
	all.Memory = true
	if err := b.measure(fmt.Sprintf("the memory of %d processes", processes), []command{
		{name: "C: statm and status", args: []string{b.tool("memory"), "processes"}},
		{name: "nodedoc's reader", args: []string{b.tool("loop"), "memory"}},
		{name: "Go: prometheus/procfs, status", args: []string{b.tool("procfs"), "memory"}},
		{name: "ps -eo pid,rss", args: []string{"ps", "-eo", "pid,rss"}},
		{name: "nodedoc-probe: status, process table, report", args: b.probeOnce(table)},
		{name: "nodedoc-probe: and shares of the largest, cgroups", args: b.probeOnce(all)},
		{name: "C: smaps_rollup", args: []string{b.tool("memory"), "rollups"}},
		{name: "Go: prometheus/procfs, smaps_rollup", args: []string{b.tool("procfs"), "rollups"}},
	}); err != nil {
		return err
	}
	find := fmt.Sprintf("find %s -name memory.stat -exec cat {} + >/dev/null 2>&1 || true", mount) // others' may end
	return b.measure(fmt.Sprintf("the memory of %d cgroups", owners), []command{
		{name: "C: usage, memory.stat, limit", args: []string{b.tool("memory"), "cgroups", mount}},
		{name: "nodedoc's reader", args: []string{b.tool("loop"), "cgroups", mount}},
		{name: "nodedoc-probe: and what was refused, process table, report", args: b.probeOnce(all)},
		{name: "find and cat, memory.stat alone", args: []string{"sh", "-c", find}},
	})
}
