package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func tmpfsShare() Threshold { return memoryShare(MemoryTmpfs) }
func tmpfsSize() Threshold  { return memorySize(MemoryTmpfs, largeMin) }

func memoryTmpfsRule() Rule {
	return Rule{
		ID: MemoryTmpfs, find: memoryTmpfs,
		Title:      "files in memory (tmpfs) take much of the node's memory",
		Thresholds: []Threshold{tmpfsShare(), tmpfsSize()},
		Page: Page{
			Means: "What is written to a tmpfs (emptyDir with medium: Memory, /dev/shm, /run) is memory that no reclaim frees. It is in no process's resident size, so that top and ps do not show it, and it stays when the container that wrote it has ended.",
			Computed: []string{
				"shmem of a cgroup's memory.stat less what its processes map of it: {share} of the node's memory and {size} or more are a finding. Owners with a memory limit are left out, since it counts there, and so is what processes map as a whole, as a database's buffers.",
			},
			Source: []string{"Documentation/admin-guide/cgroup-v2.rst: memory.stat, shmem (v1: total_shmem); tmpfs(5)", "Kubernetes: Volumes, emptyDir"},
			Do: []string{
				"Give the volume a sizeLimit, and the container a memory limit, which counts it; or use a volume on disk.",
				"Removing the files frees it; of a pod that is gone, removing the mount.",
			},
			Fooled: []string{
				"It is charged to who wrote first: another container may be at work with it.",
				"Without cgroups for memory (cgroup_disable=memory) nobody is named.",
			},
		},
	}
}

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
		if files < limits.bytes(tmpfsSize()) || shareOf(files, total) < limits.In(tmpfsShare()) || row.Limit > 0 || row.MappedByAll >= row.Shmem || len(findings) == ownersNamedMax {
			continue
		}
		owner := row.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary:  fmt.Sprintf("%s has %s of files in memory (tmpfs), %.0f %% of the node's", Title(owner), correlate.Size(files), shareOf(files, total)),
			Evidence: []string{fmt.Sprintf("%s of tmpfs and shared memory are charged to it, of which no process maps more than %s", correlate.Size(row.Shmem), correlate.Size(row.MappedShmem))}}
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
		text += ", with " + correlate.Size(*v.Used) + " in it"
	}
	if v.Limit == 0 {
		return text + ", and has no sizeLimit"
	}
	return text + ", sizeLimit " + correlate.Size(v.Limit)
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
