package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// memoryTmpfs: files in memory that no process maps. They are nobody's resident
// size, so that top and ps do not show them; and they stay when the container that
// wrote them has ended.
func memoryTmpfs(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	total := memoryTotal(n)
	if total == 0 {
		return nil
	}
	var findings []Finding
	for _, row := range n.Memory(correlate.MemoryOptions{}).Rows {
		files := row.Shmem - min(row.MappedShmem, row.Shmem)
		if files < tmpfsMin || shareOf(files, total) < memoryShareMin || row.Limit > 0 || row.MappedByAll >= row.Shmem || len(findings) == memoryPerFindingMax {
			continue
		}
		owner := row.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary:  fmt.Sprintf("%s has %s of files in memory (tmpfs), %.0f %% of the node's", Title(owner), size(files), shareOf(files, total)),
			Evidence: []string{fmt.Sprintf("%s of tmpfs and shared memory are charged to it, of which no process maps more than %s", size(row.Shmem), size(row.MappedShmem))}}
		for _, v := range row.Volumes {
			f.Evidence = append(f.Evidence, volumeText(v))
		}
		f.Remedy = tmpfsRemedy(row)
		findings = append(findings, f)
	}
	return findings
}

func volumeText(v correlate.MemoryVolumeUse) string {
	text := fmt.Sprintf("its volume %s is in memory", v.Name)
	if v.Used != nil {
		text += ", with " + size(*v.Used) + " in it"
	}
	if v.Limit == 0 {
		return text + ", and has no sizeLimit"
	}
	return text + ", sizeLimit " + size(v.Limit)
}

func tmpfsRemedy(row correlate.MemoryRow) []Step {
	switch {
	case row.Owner.Type == correlate.OwnerPod:
		return append([]Step{{Do: "give the volume a sizeLimit, and the container a memory limit, which counts it; or use a volume on disk"}}, deletePod(row.Owner, "to free it now")...)
	case row.Processes == 0:
		return []Step{{Do: "it is left by what has ended: look for large files in tmpfs mounts, those of pods that are gone, too; removing the file or the mount frees it", Run: "findmnt -t tmpfs -o TARGET,SIZE,USED"}}
	}
	return []Step{{Do: "look for large files in tmpfs mounts (/dev/shm, /run, /tmp); removing them frees it", Run: "findmnt -t tmpfs -o TARGET,SIZE,USED"}}
}
