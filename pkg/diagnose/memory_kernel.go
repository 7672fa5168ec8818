package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func kernelSize() Threshold  { return memorySize(MemoryKernel, 1<<30) }
func kernelShare() Threshold { return memoryShare(MemoryKernel) }
func kernelTablesShare() Threshold {
	return percent(MemoryKernel, "tables-share", 5, "of the node's memory in page tables or per-CPU data: less is no finding")
}

func memoryKernelRule() Rule {
	return Rule{
		ID: MemoryKernel, find: memoryKernel,
		Title:      "the kernel itself has much of the node's memory",
		Thresholds: []Threshold{kernelShare(), kernelTablesShare(), kernelSize()},
		Page: Page{
			Means: "Memory that no process has and that no reclaim frees: slab that is in use, page tables, per-CPU data, and what no line of /proc/meminfo names. top, ps and the kubelet's metrics do not show it; the kubelet's memory.available counts most of it as free.",
			Computed: []string{
				"SUnreclaim of /proc/meminfo, and what is neither free nor page cache nor in any of its lines: {share} of the node's memory or more, and {size}, are a finding. Of PageTables and Percpu {tables-share} are enough, with {size}.",
				fmt.Sprintf("What can be freed (SReclaimable), and huge pages, which somebody has set aside on purpose, are none. The cache of ZFS (arcstats) counts only while less than %s of the node's memory and less than %s are available, since it shrinks.", Percent.Text(pressedPercent), Bytes.Text(pressedBytes)),
			},
			Source: []string{"proc_meminfo(5); Documentation/filesystems/proc.rst: meminfo"},
			Do: []string{
				"Slab: slabtop tells which objects. Page tables: who maps much (VmPTE of /proc/PID/status); huge pages make them small. Percpu: dead cgroups (nr_dying_descendants of cgroup.stat).",
				"ZFS: bound zfs_arc_max. Under no name: network buffers (/proc/net/sockstat), drivers, or a hypervisor's balloon, which only the hypervisor can tell.",
			},
			Fooled: []string{
				"ZFS gives its cache (ARC) back under pressure, though not at once, and MemAvailable does not count it.",
				"A hypervisor that takes memory back (a balloon) makes it look used by the kernel.",
				"vmalloc and memory of GPUs are counted in one line on some kernels and in none on others.",
			},
		},
	}
}

// memoryKernel: memory that is the kernel's own, and which no process shows: slab
// that cannot be freed, page tables, and what no line of /proc/meminfo names.
func memoryKernel(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	total := memoryTotal(n)
	if total == 0 {
		return nil
	}
	kernel := correlate.Owner{Type: correlate.OwnerKernel}
	f := Finding{Severity: Warning, Subject: &kernel}
	most := uint64(0)
	m := n.Memory(correlate.MemoryOptions{})
	for _, p := range m.Kernel.Parts {
		share, about := kernelShare(), kernelPart(p.Source)
		if about.tables {
			share = kernelTablesShare()
		}
		bytes := uint64(max(p.Bytes, 0))
		if p.Source == correlate.ARCStats && !memoryPressed(m, pressedPercent, pressedBytes) { // it shrinks
			continue
		}
		if about.why == "" || bytes < limits.bytes(kernelSize()) || shareOf(bytes, total) < limits.In(share) {
			continue
		}
		if bytes > most {
			most = bytes
			f.Summary = fmt.Sprintf("the kernel has %s of %s, %.0f %% of the node's memory", correlate.Size(bytes), partName(p), shareOf(bytes, total))
		}
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s (%s): %s", partName(p), correlate.Size(bytes), p.Source, about.why))
		f.Remedy = append(f.Remedy, about.remedy)
	}
	if most == 0 {
		return nil
	}
	return []Finding{f}
}

// partName is a part as a sentence has it: "the kernel has 9 GiB of …".
func partName(p correlate.Term) string {
	if p.Source == correlate.UnnamedKernelMemory {
		return "memory under no name"
	}
	return p.Name
}

// kernelSort is what a part of the kernel's memory means where it is large.
type kernelSort struct {
	tables bool // it is much earlier than others
	why    string
	remedy Step
}

// kernelPart is about a part by the line it comes from; what can be freed, or was
// set aside on purpose, is none.
func kernelPart(source string) kernelSort {
	switch source {
	case "/proc/meminfo SUnreclaim":
		return kernelSort{why: "objects that are in use, or leak: files, sockets, cgroups, mounts",
			remedy: Step{Do: "see which objects these are, on the node", Run: "slabtop -o -s c | head -20"}}
	case "/proc/meminfo PageTables":
		return kernelSort{tables: true, why: "many processes map much: shared memory of a database without huge pages, thousands of forks",
			remedy: Step{Do: "see whose they are, on the node; huge pages for large shared memory make them small", Run: "grep -H VmPTE /proc/[0-9]*/status | sort -k2 -n | tail"}}
	case "/proc/meminfo Percpu":
		return kernelSort{tables: true, why: "cgroups and mounts have counters for each CPU; dead cgroups keep theirs",
			remedy: Step{Do: "see how many cgroups there are, dead ones, too, on the node", Run: "cat /proc/cgroups; grep nr_dying /sys/fs/cgroup/cgroup.stat"}}
	case correlate.ARCStats:
		return kernelSort{why: "the cache of ZFS: it shrinks when the kernel asks for memory, though not at once, and MemAvailable does not count it",
			remedy: Step{Do: "bound it, on the node; for good in /etc/modprobe.d", Run: "echo BYTES > /sys/module/zfs/parameters/zfs_arc_max"}}
	case correlate.UnnamedKernelMemory:
		return kernelSort{why: "network buffers, drivers, a hypervisor's balloon",
			remedy: Step{Do: "on a virtual machine, ask the hypervisor how much it took back; see what sockets hold, on the node", Run: "cat /proc/net/sockstat"}}
	}
	return kernelSort{}
}
