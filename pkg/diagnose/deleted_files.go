package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Databases and browsers keep some dozens of deleted files for temporary data, a search
// engine a few hundred while it merges.
func deletedFilesMin() Threshold {
	return atLeast(DeletedFiles, "files", 500, "deleted files that one process holds open: a finding")
}

func deletedFilesRule() Rule {
	return Rule{
		ID: DeletedFiles, find: deletedFiles,
		Title:      "a process holds many deleted files open",
		Thresholds: []Threshold{deletedFilesMin()},
		Page: Page{
			Means: "The space of a deleted file is given back when the last descriptor of it is closed. Until then df says that the disk is full, and du finds nothing.",
			Computed: []string{
				"Descriptors of a process whose link in /proc/PID/fd ends in \" (deleted)\". {files} or more in one process are a finding; processes of one owner are told together.",
			},
			Source: []string{"proc_pid_fd(5): the names of links; unlink(2)"},
			Do: []string{
				"See which they are: find /proc/PID/fd -lname '* (deleted)' on the node.",
				"Restart the process, or have it reopen its files after they are rotated (copytruncate, or the signal that it reopens them on).",
			},
			Fooled: []string{
				"How large the files are is not known: that would need a stat of each. Many small ones are little space.",
				"A file that was replaced by a rename, as package managers do it with libraries, counts too.",
				"What descriptors are is looked up for the heaviest cgroups only, and for a process that --pid names; files that are only mapped have no descriptor.",
			},
		},
	}
}

// deletedFiles: the space of a deleted file is free only when its last
// descriptor is closed: df says full, du finds nothing.
func deletedFiles(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	var findings []Finding
	for _, h := range n.Holding(func(kind string) bool { return strings.HasPrefix(kind, "deleted") }) {
		if h.Count < limits.count(deletedFilesMin()) || len(findings) == ownersNamedMax {
			break
		}
		owner := n.Blame(h.Process).Owner
		evidence := fmt.Sprintf("process %d (%s) holds %s: their space is not given back before it closes them",
			h.Process.PID, h.Process.Comm, humanize.Comma(int64(h.Count)))
		if h.Mostly != nil {
			evidence += fmt.Sprintf("; mostly %s × %s", humanize.Comma(int64(h.Mostly.Count)), h.Mostly.Pattern)
		}
		if same := slices.IndexFunc(findings, func(f Finding) bool { return *f.Subject == owner }); same >= 0 {
			if f := &findings[same]; len(f.Evidence) < holdersNamedMax {
				f.Evidence = append(f.Evidence, evidence)
			}
			continue
		}
		f := Finding{Severity: Warning, Subject: &owner,
			Summary:  fmt.Sprintf("%s holds %s deleted files open", Title(owner), humanize.Comma(int64(h.Count))),
			Evidence: []string{evidence},
			Remedy: []Step{
				{Do: "see which, on the node", Run: fmt.Sprintf("find /proc/%d/fd -lname '* (deleted)' -printf '%%f %%l\\n' | head", h.Process.PID)},
				{Do: "restart it, or have it reopen its files after they are rotated (logs: copytruncate, or the signal that it reopens them on)"},
			}}
		f.Remedy = append(f.Remedy, deletePod(owner, "to free them now")...)
		findings = append(findings, f)
	}
	return findings
}
