//go:build linux

package probe

import (
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxThreadGroups = 500
	// maxThreadDeviceNames in all groups: a node may have as many devices as a
	// cloud allows it volumes that are leaked again and again.
	maxThreadDeviceNames = 50_000
)

// groupKernelThreads folds 20,000 of them into a few dozen groups.
func groupKernelThreads(threads []kernelThread) []report.KernelThreadGroup {
	groups := map[string]*kernelGroup{}
	for _, k := range threads {
		pattern, device, cut := hostfs.FoldThread(k.comm)
		g := groups[pattern]
		if g == nil {
			g = &kernelGroup{out: report.KernelThreadGroup{Pattern: pattern, Sample: k.pid}, names: map[string]*report.ThreadDeviceName{}}
			groups[pattern] = g
		}
		g.add(k, device, cut)
	}
	list := make([]report.KernelThreadGroup, 0, len(groups))
	for _, g := range groups {
		list = append(list, g.finish())
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return a.Count > b.Count || a.Count == b.Count && a.Pattern < b.Pattern
	})
	return boundGroups(list)
}

// boundGroups: names of kernel threads are drivers' to choose. What is beyond is
// one group of its own, so that the sum stays true.
func boundGroups(list []report.KernelThreadGroup) []report.KernelThreadGroup {
	if len(list) > maxThreadGroups {
		rest := report.KernelThreadGroup{Pattern: "others", Sample: list[maxThreadGroups].Sample}
		for _, g := range list[maxThreadGroups:] {
			rest.Count += g.Count
			rest.Blocked += g.Blocked
		}
		list = append(list[:maxThreadGroups:maxThreadGroups], rest)
	}
	room := maxThreadDeviceNames
	for i := range list {
		n := min(room, len(list[i].Names))
		list[i].Names = list[i].Names[:n:n]
		room -= n
	}
	return list
}

type kernelGroup struct {
	out   report.KernelThreadGroup
	names map[string]*report.ThreadDeviceName
}

func (g *kernelGroup) add(k kernelThread, device string, cut bool) {
	g.out.Count++
	if k.state == "D" {
		g.out.Blocked++
	}
	if device == "" {
		return
	}
	if known := g.names[device]; known != nil {
		known.Threads = max(known.Threads, 1) + 1
		return
	}
	g.names[device] = &report.ThreadDeviceName{Name: device, Cut: cut}
}

func (g *kernelGroup) finish() report.KernelThreadGroup {
	g.out.Devices = len(g.names)
	for _, name := range g.names {
		g.out.Names = append(g.out.Names, *name)
	}
	sort.Slice(g.out.Names, func(i, j int) bool { return g.out.Names[i].Name < g.out.Names[j].Name })
	return g.out
}
