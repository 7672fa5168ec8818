//go:build linux

package probe

import (
	"context"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// background finds what stands behind the asked processes.
type background struct {
	run
	proc  *hostfs.Proc
	root  *hostfs.Root
	bad   unreadable
	out   *report.Background
	byPID map[int]*report.Process
	// of are the asked processes of the host itself: a container may have a
	// cron and units of its own, whose files are not the node's.
	of []*report.Process
}

// maxBackground bounds how many processes are looked behind.
const maxBackground = 200

func collectBackground(ctx context.Context, r run) (publish, error) {
	b := &background{run: r, bad: unreadable{}, out: &report.Background{}, byPID: map[int]*report.Process{}}
	root, err := hostfs.OpenRoot(r.fs, rootMounts(r.fs, b.bad))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	b.root, b.proc = root, proc
	b.index()
	b.zone()
	b.host()
	for _, step := range []func(){b.units, b.cron, b.sessions, b.devices} {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		step()
	}
	b.out.Unreadable = b.bad.list()
	return func(r *run) { r.report.Background = b.out }, nil
}

func (b *background) index() {
	if b.report.Processes == nil {
		return
	}
	list := b.report.Processes.List
	for i := range list {
		b.byPID[list[i].PID] = &list[i]
	}
	for i := range list {
		if p := &list[i]; p.Detail != nil && !p.Kernel && !contained(b.report.Processes, b.byPID[1], p) {
			if len(b.of) == maxBackground {
				b.bad.add("units, cron and sessions", errTooMany)
				return
			}
			b.of = append(b.of, p)
		}
	}
}

// contained: its cgroup is a container's, or below one. Where the whole node
// runs in a container, that one is in the first process's path too.
func contained(all *report.Processes, first, p *report.Process) bool {
	own, ownSystem := map[string]bool{}, ""
	for _, entry := range cgroupOf(all, first).Entries {
		if name, _ := report.SystemContainer(entry.Path); name != "" {
			ownSystem = name
		}
		for e := range strings.SplitSeq(entry.Path, "/") {
			own[e] = true
		}
	}
	for _, entry := range cgroupOf(all, p).Entries {
		if name, _ := report.SystemContainer(entry.Path); hostfs.InPod(entry.Path) || name != "" && name != ownSystem {
			return true
		}
		for e := range strings.SplitSeq(entry.Path, "/") {
			id := strings.TrimSuffix(e, ".scope")
			if at := len(id) - 64; !own[e] && at >= 0 && hostfs.IsContainerID(id[at:]) {
				return true
			}
		}
	}
	return false
}

func (b *background) cgroup(p *report.Process) report.Cgroup {
	return cgroupOf(b.report.Processes, p)
}

func cgroupOf(all *report.Processes, p *report.Process) report.Cgroup {
	if p == nil || p.Cgroup < 0 {
		return report.Cgroup{}
	}
	return all.Cgroups[p.Cgroup]
}

// zone reads /etc/localtime, localtime(5): a link below zoneinfo whose path is
// the zone's name; without the file it is UTC.
func (b *background) zone() {
	const file = "/etc/localtime"
	content, path, err := b.root.ReadLinked(file, 64<<10)
	if err != nil {
		if !hostfs.Gone(err) {
			b.bad.add(file, err)
		}
		return
	}
	_, name, _ := strings.Cut(path, "/zoneinfo/")
	b.out.Zone = report.Zone{Name: report.Escape(name), TZif: content}
}

// host reads what the asked processes are compared with.
func (b *background) host() {
	b.out.HostNamespaces = namespaces(b.proc, 1, "/proc/1/ns/*", b.bad)
	if pid := rootPID(b.fs); len(b.out.HostNamespaces) == 0 && pid != 1 {
		b.out.HostNamespaces = namespaces(b.proc, pid, "/proc/PID/ns/*", b.bad)
	}
	if content, err := b.proc.Read("sys/kernel/cap_last_cap"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(content))); err == nil {
			b.out.LastCapability = &n
		}
	}
}
