//go:build linux

package probe

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxPodCgroups are listed; maxKubepodsVisits bounds the directories on the way.
	maxPodCgroups, maxKubepodsVisits = 10_000, 40_000
)

// podCgroups finds the pods' cgroups where the kubelet makes them: in the pids
// hierarchy as in all others of v1, or in v2's.
func (s *runtimeState) podCgroups(ctx context.Context) {
	proc, err := hostfs.OpenProc(s.fs)
	if err != nil {
		s.bad.add("/proc", err)
		return
	}
	defer proc.Close()
	mount, ok, err := cgroupMount(s.fs, proc, "pids")
	if err != nil {
		s.bad.add("/proc/PID/mountinfo", err)
	}
	if !ok {
		return
	}
	tree, err := hostfs.OpenCgroups(s.fs, mount.Point)
	if err != nil {
		s.bad.add(mount.Point, err)
		return
	}
	defer tree.Close()
	s.walkPods(ctx, tree, mount)
}

func (s *runtimeState) walkPods(ctx context.Context, tree *hostfs.CgroupTree, mount hostfs.CgroupMount) {
	dirs := s.kubepods(mount)
	for i := 0; i < len(dirs); i++ {
		if ctx.Err() != nil || len(dirs) > maxKubepodsVisits || len(s.out.PodCgroups) >= maxPodCgroups {
			s.bad.add("cgroups of pods", errTooMany)
			return
		}
		names, err := tree.Children(dirs[i], maxPodCgroups)
		if err != nil && !hostfs.Gone(err) {
			s.bad.add("directories of cgroups", err)
		}
		slices.Sort(names)
		for _, name := range names {
			dir := path.Join(dirs[i], name)
			if strings.HasPrefix(name, "pod") || strings.Contains(name, "-pod") {
				s.out.PodCgroups = append(s.out.PodCgroups, report.PodCgroup{Path: report.Escape(shownPath(&mount, dir)), Populated: populated(ctx, tree, mount.V2, dir)})
				continue
			}
			if onTheWay(name, false) {
				dirs = append(dirs, dir)
			}
		}
	}
}

// kubepods are the kubelet's directories, below its --cgroup-root: where pods have
// processes, and where they are by default.
func (s *runtimeState) kubepods(mount hostfs.CgroupMount) []string {
	dirs := []string{"/kubepods", "/kubepods.slice"}
	if s.report.Processes == nil {
		return dirs
	}
	find := &cgroupTree{root: s.root, of: "pids", mount: mount, ownPID: ownPID(s.fs)}
	for _, c := range s.report.Processes.Cgroups {
		for _, e := range c.Entries {
			if !strings.Contains(e.Path, "kubepods") || !hostfs.HasController(e.Controllers, find.controller()) {
				continue
			}
			if dir, _, ok := find.locate(e.Path); ok {
				dirs = append(dirs, upToKubepods(dir))
			}
		}
	}
	return unique(dirs)
}

// upToKubepods is the path up to its first element of this name. What a container
// makes below its own cgroup stands to the right of it.
func upToKubepods(dir string) string {
	elements := strings.Split(dir, "/")
	for i, e := range elements {
		if e == "kubepods" || e == "kubepods.slice" || strings.HasSuffix(e, "-kubepods.slice") {
			return strings.Join(elements[:i+1], "/")
		}
	}
	return "/kubepods"
}

// populated says whether a process lives in a cgroup, or below: cgroup.events of v2
// tells both; of v1 the lists are read, two levels deep: the pod and its containers.
func populated(ctx context.Context, tree *hostfs.CgroupTree, v2 bool, dir string) bool {
	if v2 {
		b, err := tree.Read(dir, "cgroup.events")
		return err != nil || strings.Contains(string(b), "populated 1")
	}
	at := []string{dir}
	for i := 0; i < len(at) && ctx.Err() == nil; i++ {
		if b, err := tree.Read(at[i], "cgroup.procs"); err == nil && len(b) > 0 {
			return true
		}
		names, err := tree.Children(at[i], maxPodCgroups)
		if err != nil || strings.Count(at[i], "/")-strings.Count(dir, "/") > 2 {
			continue
		}
		for _, name := range names {
			at = append(at, path.Join(at[i], name))
		}
	}
	return false
}
