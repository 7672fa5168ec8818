package diagnose

import (
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// link says that findings of some rules explain those of another one, of another
// family or earlier in the list, which the rule itself cannot see.
type link struct {
	symptom string
	causes  []string
	// fits says whether this cause explains this symptom; nil: it does.
	fits func(n *correlate.Node, symptom, cause Finding) bool
}

func links() []link {
	memory := []string{MemoryHostProcess, MemoryGrowth, MemoryTmpfs, MemoryKernel}
	return []link{
		// The pipes of exec sessions count for the user as any others.
		{PipesUserLimit, []string{ExecFIFOs, FDGrowth}, holdsMostPipes},
		// A daemon waits for the runc that it has started.
		{RuntimeDaemon, []string{PipesRuntimeBlocked}, nil},
		{RuntimeLeftovers, []string{PipesRuntimeBlocked}, nil},
		{MemoryGrowth, []string{MemoryHostProcess}, sameSubject},
		{MemoryThresholdTooLow, memory, nil},
		{MemorySoftOnly, memory, nil},
		{MemoryReservedTooSmall, []string{MemoryHostProcess, MemoryTmpfs, MemoryKernel}, nil},
		// The kubelet remembers each mount, and compares all of them in each loop.
		{MemoryHostProcess, []string{MountsLeaked}, isKubelets},
		// Each session has a process.
		{TasksPodLimit, []string{ExecFIFOs}, samePod},
		{TasksBlocked, []string{MountsLeaked}, worksForLeaked},
	}
}

// linkCauses notes what explains what, beyond what the rules have seen.
func linkCauses(n *correlate.Node, findings []Finding) {
	for _, l := range links() {
		for i := range findings {
			if findings[i].ID != l.symptom {
				continue
			}
			fitting := slices.DeleteFunc(slices.Clone(findings), func(cause Finding) bool {
				return l.fits != nil && slices.Contains(l.causes, cause.ID) && !l.fits(n, findings[i], cause)
			})
			for _, id := range ids(fitting, l.causes...) {
				if !slices.Contains(findings[i].CausedBy, id) {
					findings[i].CausedBy = append(findings[i].CausedBy, id)
				}
			}
		}
	}
}

func sameSubject(_ *correlate.Node, symptom, cause Finding) bool {
	return symptom.Subject != nil && cause.Subject != nil && *symptom.Subject == *cause.Subject
}

func samePod(_ *correlate.Node, symptom, cause Finding) bool {
	return symptom.Subject != nil && cause.Subject != nil && withoutContainer(*symptom.Subject) == withoutContainer(*cause.Subject)
}

// holdsMostPipes: whom the cause blames holds the most of the user's pipes.
func holdsMostPipes(n *correlate.Node, symptom, cause Finding) bool {
	if symptom.Subject == nil || cause.Subject == nil || n.Report.Pipes == nil {
		return false
	}
	for _, u := range n.Pipes(correlate.PipeOptions{}).Users {
		if u.Name == symptom.Subject.User && len(u.Rows) > 0 {
			return withoutContainer(u.Rows[0].Owner) == withoutContainer(*cause.Subject)
		}
	}
	return false
}

func isKubelets(n *correlate.Node, symptom, cause Finding) bool {
	return cause.Severity == Critical && symptom.Subject != nil && trimService(symptom.Subject.Unit) == kubeletUnit(n)
}

// worksForLeaked: the kernel's own threads, of which one works for a device that
// nobody needs.
func worksForLeaked(n *correlate.Node, symptom, _ Finding) bool {
	if symptom.Subject == nil || symptom.Subject.Type != correlate.OwnerKernel {
		return false
	}
	t := n.Tasks(correlate.TaskOptions{})
	return slices.ContainsFunc(t.Blocked, func(row correlate.BlockedRow) bool {
		if !row.Kernel {
			return false
		}
		d := deviceOfThread(row.Comm, t.Devices)
		return d != nil && deviceUse(*d) == correlate.VolumeLeaked
	})
}
