package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// deletedFilesMin: databases and browsers keep some dozens of deleted files for
// temporary data, a search engine a few hundred while it merges.
const deletedFilesMin = 500

// deletedFiles: the space of a deleted file is free only when its last
// descriptor is closed: df says full, du finds nothing.
func deletedFiles(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	var findings []Finding
	for _, h := range n.Holding(func(kind string) bool { return strings.HasPrefix(kind, "deleted") }) {
		if h.Count < deletedFilesMin || len(findings) == descriptorsPerFindingMax {
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
