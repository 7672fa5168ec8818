package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

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
	for _, p := range n.Memory(correlate.MemoryOptions{}).Kernel.Parts {
		share, about := memoryShareMin, kernelPart(p.Source)
		if about.share > 0 {
			share = about.share
		}
		bytes := uint64(max(p.Bytes, 0))
		if about.why == "" || bytes < kernelMin || shareOf(bytes, total) < share {
			continue
		}
		if bytes > most {
			most = bytes
			f.Summary = fmt.Sprintf("the kernel has %s of %s, %.0f %% of the node's memory", size(bytes), partName(p), shareOf(bytes, total))
		}
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s (%s): %s", partName(p), size(bytes), p.Source, about.why))
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
	share  float64 // percent; 0: the usual one
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
		return kernelSort{share: pageTablesShare, why: "many processes map much: shared memory of a database without huge pages, thousands of forks",
			remedy: Step{Do: "see whose they are, on the node; huge pages for large shared memory make them small", Run: "grep -H VmPTE /proc/[0-9]*/status | sort -k2 -n | tail"}}
	case "/proc/meminfo Percpu":
		return kernelSort{share: pageTablesShare, why: "cgroups and mounts have counters for each CPU; dead cgroups keep theirs",
			remedy: Step{Do: "see how many cgroups there are, dead ones, too, on the node", Run: "cat /proc/cgroups; grep nr_dying /sys/fs/cgroup/cgroup.stat"}}
	case correlate.UnnamedKernelMemory:
		return kernelSort{why: "network buffers, drivers, the cache of ZFS (ARC; it shrinks), a hypervisor's balloon",
			remedy: Step{Do: "on a virtual machine, ask the hypervisor how much it took back; see what sockets hold, and ZFS, on the node", Run: "cat /proc/net/sockstat; grep -wE 'size|c_max' /proc/spl/kstat/zfs/arcstats"}}
	}
	return kernelSort{}
}
