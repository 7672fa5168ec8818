//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

type bench struct {
	ctx context.Context
	options
}

func (b *bench) tool(name string) string { return filepath.Join(b.tools, "bench", name) }

// probeOnce makes the shipped probe answer one request.
func (b *bench) probeOnce(req report.Request) []string {
	text, err := json.Marshal(req)
	if err != nil {
		panic(err) // a struct of plain fields
	}
	return []string{b.tool("nodedoc-probe"), "report", string(text)}
}

// descriptors: counting and classifying those of a node with many.
func (b *bench) descriptors() error {
	processes, each := 2000, 102
	if b.small {
		processes = 20
	}
	crowd, err := b.crowd(processes, each, 1)
	if err != nil {
		return err
	}
	defer func() { _ = crowd.leave() }()
	const shell = `for p in /proc/[0-9]*; do ls "$p/fd" | wc -l; done >/dev/null`
	if err := b.measure(fmt.Sprintf("count the descriptors of %d processes, %d in all", processes, processes*each), []command{
		{name: "C: st_size of /proc/PID/fd", args: []string{b.tool("loops"), "count"}},
		{name: "nodedoc's reader", args: []string{b.tool("loop"), "count"}},
		{name: "C: getdents64 (kernels before 6.2)", args: []string{b.tool("loops"), "list"}},
		{name: "Go: prometheus/procfs", args: []string{b.tool("procfs"), "count"}},
		{name: "ls | wc", args: []string{"sh", "-c", shell}, once: true},
	}); err != nil {
		return err
	}
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.FDs, req.AllFDs = true, true
	if err := b.measure(fmt.Sprintf("classify %d descriptors", processes*each), []command{
		{name: "C: getdents64, readlinkat, prefixes", args: []string{b.tool("loops"), "classify"}},
		{name: "nodedoc's reader", args: []string{b.tool("loop"), "classify"}},
		{name: "nodedoc-probe: the same, counts, process table, report", args: b.probeOnce(req)},
		{name: "Go: prometheus/procfs", args: []string{b.tool("procfs"), "classify"}},
		{name: "lsfd", args: []string{"lsfd", "-n"}},
		{name: "lsof -nP", args: []string{"lsof", "-nP"}},
	}); err != nil {
		return err
	}
	return b.holders(crowd, processes, each)
}

// holders: who holds the descriptors, each way in full. The probe answers what
// the plugin asks, but does not wait between its two counts.
func (b *bench) holders(crowd helper, processes, each int) (err error) {
	owners := processes / 10
	remove, err := b.cgroups(crowd, owners)
	if err != nil {
		return err
	}
	// A cgroup is removed when it is empty.
	defer func() { err = errors.Join(err, crowd.leave(), remove()) }()
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers)
	req.FDs = true
	title := fmt.Sprintf("who holds the descriptors: %d processes of %d owners hold %d", processes, owners, processes*each)
	return b.measure(title, []command{
		{name: "nodedoc-probe: what `fd` asks, less the sample", args: b.probeOnce(req)},
		{name: "lsof -nP", args: []string{"lsof", "-nP"}},
		{name: "lsof -b -w -nP", args: []string{"lsof", "-b", "-w", "-nP"}},
		{name: "lsfd", args: []string{"lsfd", "-n"}},
	})
}

// processes: the table of a node with many, and what it costs to send.
func (b *bench) processes() error {
	processes, threads := 4000, 5
	if b.small {
		processes = 40
	}
	crowd, err := b.crowd(processes, 10, threads)
	if err != nil {
		return err
	}
	defer func() { _ = crowd.leave() }()
	if err := b.measure(fmt.Sprintf("read %d processes with %d threads", processes, processes*threads), []command{
		{name: "C: stat, cgroup, cmdline", args: []string{b.tool("loops"), "processes"}},
		{name: "nodedoc's reader", args: []string{b.tool("loop"), "processes"}},
		{name: "nodedoc-probe: the same, redacted, in a report", args: b.probeOnce(report.NewRequest(report.CollectProcesses))},
		{name: "Go: prometheus/procfs", args: []string{b.tool("procfs"), "processes"}},
		{name: "ps -e", args: []string{"ps", "-eo", "pid,ppid,stat,nlwp,rss,cgroup,args"}},
	}); err != nil {
		return err
	}
	if err := b.measure(fmt.Sprintf("look at %d threads of them", processes*threads), []command{
		{name: "C: stat of each thread", args: []string{b.tool("loops"), "threads"}},
		{name: "nodedoc's reader", args: []string{b.tool("loop"), "threads"}},
		{name: "nodedoc-probe: the same, process table, report", args: b.probeOnce(report.NewRequest(report.CollectProcesses, report.CollectTasks))},
		{name: "Go: prometheus/procfs", args: []string{b.tool("procfs"), "threads"}},
		{name: "ps -eL", args: []string{"ps", "-eLo", "pid,lwp,stat,comm"}},
	}); err != nil {
		return err
	}
	if err := b.measure("the processes, and their namespaces", []command{
		{name: "C: and eight links in ns", args: []string{b.tool("loops"), "namespaces"}},
		{name: "nodedoc's reader", args: []string{b.tool("loop"), "namespaces"}},
		{name: "Go: prometheus/procfs", args: []string{b.tool("procfs"), "namespaces"}},
	}); err != nil {
		return err
	}
	return b.wire(processes)
}

// crowd starts so many processes; its leave ends them.
func (b *bench) crowd(processes, files, threads int) (helper, error) {
	dir, err := os.MkdirTemp(b.dir, "crowd-")
	if err != nil {
		return helper{}, err
	}
	h, err := b.start("loops", "crowd", strconv.Itoa(processes), strconv.Itoa(files), strconv.Itoa(threads), dir)
	if err != nil {
		return helper{}, fmt.Errorf("failed to start a crowd of %d processes with %d threads each (kernel.pid_max? pids.max?): %w", processes, threads, err)
	}
	return h, nil
}
