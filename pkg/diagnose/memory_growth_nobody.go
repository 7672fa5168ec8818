package diagnose

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// What grows and is no process's: files in memory, and the kernel's own. Page cache
// grows with all that is read, and goes when somebody needs it: that is no leak.

// filesGrowth: files in memory that become more, and are used by nobody's mapping,
// as a database's buffers are, which end where they are full.
func filesGrowth(m correlate.NodeMemory, total uint64, limits Thresholds) []Finding {
	var findings []Finding
	mapped := mappedInPods(m)
	for i := range m.Rows {
		row := &m.Rows[i]
		if row.ShmemPerSecond == nil || row.Shmem < limits.bytes(growingSize()) || max(row.MappedShmem, row.MappedByAll/2, mapped[row.Owner.PodUID]) >= row.Shmem/2 || len(findings) == ownersNamedMax {
			continue
		}
		held := row
		if row.Fullest == nil {
			held = nil
		}
		r := roomOf(m, held, total)
		r.falls = r.falls || r.container // a limit counts these files, too
		gained := *row.ShmemPerSecond * m.Seconds
		left, soon := runsOut(r, gained, m.Seconds, limits)
		if !soon {
			continue
		}
		owner := row.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary:  fmt.Sprintf("files in memory (tmpfs) of %s grow by %s per second: %s used up in %s at this rate", Title(owner), correlate.Size(uint64(*row.ShmemPerSecond)), usedUp(r), left),
			Evidence: []string{fmt.Sprintf("they gained %s in %.1f s and are %s, of which no process maps more than %s; %s are left", correlate.Size(uint64(gained)), m.Seconds, correlate.Size(row.Shmem), correlate.Size(row.MappedShmem), correlate.Size(r.left))}}
		for _, v := range row.Volumes {
			f.Evidence = append(f.Evidence, volumeText(v))
		}
		f.Remedy = tmpfsRemedy(*row)
		findings = append(findings, f)
	}
	return findings
}

// mappedInPods is the most of shared memory that one process of a pod maps: it may be
// charged to another of its containers, or one that has ended.
func mappedInPods(m correlate.NodeMemory) map[string]uint64 {
	mapped := map[string]uint64{}
	for _, row := range m.Rows {
		if uid := row.Owner.PodUID; uid != "" {
			mapped[uid] = max(mapped[uid], row.MappedShmem)
		}
	}
	return mapped
}

// kernelGrowth: slab that cannot be freed, page tables and stacks become more with
// each step.
func kernelGrowth(n *correlate.Node, m correlate.NodeMemory, total uint64, limits Thresholds) []Finding {
	k := m.Kernel
	if k == nil || k.OwnPerSecond == nil || !k.OwnGrows {
		return nil
	}
	r := roomOf(m, nil, total)
	gained := *k.OwnPerSecond * m.Seconds
	left, soon := runsOut(r, gained, m.Seconds, limits)
	if !soon {
		return nil
	}
	kernel := correlate.Owner{Type: correlate.OwnerKernel}
	f := Finding{Severity: Warning, Subject: &kernel,
		Summary:  fmt.Sprintf("the kernel's own memory grows by %s per second: %s used up in %s at this rate", correlate.Size(uint64(*k.OwnPerSecond)), usedUp(r), left),
		Evidence: []string{fmt.Sprintf("slab that cannot be freed, page tables, stacks and per-CPU data gained %s in %.1f s, and never lost any; %s are left", correlate.Size(uint64(gained)), m.Seconds, correlate.Size(r.left))},
		Remedy:   []Step{{Do: "see which objects these are, on the node", Run: "slabtop -o -s c | head -20"}}}
	if m.Seconds < longLookSeconds {
		f.Remedy = append(f.Remedy, Step{Do: "see whether it goes on", Run: memoryCommand(n, "--interval "+longLook)})
	}
	return []Finding{f}
}

func usedUp(r room) string {
	if r.container {
		return "its limit of " + correlate.Size(r.of) + " is"
	}
	return "the node's memory is"
}

// runsOut says in what time a room is used up, and whether that is soon, by what was
// gained in so many seconds: see memoryLeaks.
func runsOut(r room, gained, seconds float64, limits Thresholds) (left string, soon bool) {
	if !r.falls || gained < limits.In(growingGained()) || seconds <= 0 {
		return "", false
	}
	in := time.Duration(min(float64(r.left)/gained*seconds, 1e9) * float64(time.Second))
	soon = in <= limits.duration(goneSoon())
	if seconds < longLookSeconds {
		soon = in <= limits.duration(goneVerySoon()) && shareOf(r.of-r.left, r.of) >= limits.In(mostUsed())
	}
	return duration.HumanDuration(in), soon
}
