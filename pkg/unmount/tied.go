package unmount

import "github.com/nodedoc/kubectl-nodedoc/pkg/report"

// tied are those of the mounts to unmount whose peers or slaves stay, and upon
// which others stand: a copy of a live directory that was made by mount --rbind,
// or with Bidirectional propagation. What is unmounted upon a copy goes from its
// peers, too: from the live directory (mount_namespaces(7)).
func tied(mounts []mount, table []report.Mount) []mount {
	planned, upon := make(map[int]bool, len(mounts)), make(map[int]bool, len(mounts))
	for _, m := range mounts {
		planned[m.ID] = true
		upon[m.Parent] = true
	}
	stays := map[int]bool{} // peer groups
	for _, m := range table {
		if !planned[m.ID] {
			stays[m.Shared], stays[m.Master] = true, true
		}
	}
	var found []mount
	for _, m := range mounts {
		if m.Shared != 0 && upon[m.ID] && stays[m.Shared] {
			found = append(found, m)
		}
	}
	return found
}
