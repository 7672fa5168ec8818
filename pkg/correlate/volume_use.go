package correlate

import "github.com/nodedoc/kubectl-nodedoc/pkg/report"

// What is kept of processes at work on volumes.
const (
	maxUsesOfVolume = 64
	maxUses         = 20_000
)

// uses are the processes at work on each volume of volumeList.
func (j *mountJoin) uses() [][]VolumeProcess {
	list := make([][]VolumeProcess, len(j.volumeList))
	index := map[*volume]int{}
	for k, v := range j.volumeList {
		index[v] = k
	}
	total := 0
	for i := range j.mounts.Uses {
		u := &j.mounts.Uses[i]
		v := j.usedVolume(u)
		if v == nil || total == maxUses || len(list[index[v]]) == maxUsesOfVolume {
			continue
		}
		total++
		list[index[v]] = append(list[index[v]], j.n.volumeProcess(*u))
	}
	return list
}

// usedVolume is the one that a process is at work on: that of the filesystem, or
// of several there the one that the path names.
func (j *mountJoin) usedVolume(u *report.MountUse) *volume {
	if u.FS < 0 || u.FS >= len(j.byFS) {
		return nil
	}
	volumes := j.byFS[u.FS]
	if len(volumes) == 1 && !j.nodeDisks[u.FS] && !j.shared[u.FS] {
		return volumes[0]
	}
	p, _, ok := findKubeletPath(u.Path + "/")
	if !ok {
		return nil
	}
	return j.volumes[j.keyOf(&p, u.FS, false)]
}
