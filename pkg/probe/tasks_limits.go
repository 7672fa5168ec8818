//go:build linux

package probe

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxTaskLimits = 10_000
	maxPIDsFile   = 4096 // bytes
)

// limits reads pids.max of every cgroup that a process lives in, and of those
// above: the kubelet's limit is a pod's own cgroup's, systemd's a unit's. The
// node's hierarchy is read, not this container's.
func (t *tasks) limits(ctx context.Context) {
	root, err := hostfs.OpenRoot(t.fs, nil)
	if err != nil {
		t.bad.add("/", err)
		return
	}
	defer root.Close()
	mount, ok, err := cgroupMount(t.fs, t.proc, "pids")
	if err != nil {
		t.bad.add("/proc/PID/mountinfo", err)
	}
	if !ok {
		t.out.NoPIDsController = true
		return
	}
	tree := &cgroupTree{root: root, of: "pids", mount: mount, ownPID: ownPID(t.fs)}
	paths := map[string]string{}
	for _, c := range t.report.Processes.Cgroups {
		for _, e := range c.Entries {
			if !hostfs.HasController(e.Controllers, tree.controller()) {
				continue
			}
			if dir, shown, ok := tree.locate(e.Path); ok {
				addWithParents(paths, dir, shown)
			} else {
				t.bad.add("pids.max of cgroups outside of "+mount.Point, errOutside)
			}
		}
	}
	t.readLimits(ctx, tree, paths)
}

var errOutside = errors.New("not below the cgroup that is mounted there")

// addWithParents adds a directory and those above it, below the mount point. A
// path that is shown may begin further up than the mount.
func addWithParents(paths map[string]string, dir, shown string) {
	for dir != "/" && dir != "." {
		if _, known := paths[dir]; known {
			return
		}
		paths[dir] = shown
		dir, shown = path.Dir(dir), path.Dir(shown)
	}
}

func (t *tasks) readLimits(ctx context.Context, tree *cgroupTree, paths map[string]string) {
	dirs := make([]string, 0, len(paths))
	for dir := range paths {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	there := false
	for _, dir := range dirs {
		if ctx.Err() != nil || len(t.out.Limits) == maxTaskLimits {
			t.bad.add("pids.max", errTooMany)
			break
		}
		l, is, err := readTaskLimit(tree.root, tree.mount.Point+dir)
		switch {
		case err == nil:
			there = true
		case !hostfs.Gone(err): // gone: the cgroup has ended
			t.bad.add("pids.max", err)
		}
		if is {
			l.Path = paths[dir]
			t.out.Limits = append(t.out.Limits, l)
		}
	}
	t.out.NoPIDsController = !there && len(dirs) > 0 && len(t.bad) == 0
}

// readTaskLimit reads a cgroup's numbers; is says that it has a limit, or that
// forks were refused in it.
func readTaskLimit(root *hostfs.Root, dir string) (l report.TaskLimit, is bool, err error) {
	b, err := root.ReadFile(dir+"/pids.max", maxPIDsFile)
	if err != nil {
		return l, false, err
	}
	if l.Max, err = hostfs.ParsePIDsMax(b); err != nil {
		return l, false, errTorn
	}
	// Linux 4.8 and later.
	if b, err := root.ReadFile(dir+"/pids.events", maxPIDsFile); err == nil {
		l.Refused = hostfs.ParsePIDsEvents(b)
	}
	if l.Max == nil && l.Refused == 0 {
		return l, false, nil
	}
	if b, err = root.ReadFile(dir+"/pids.current", maxPIDsFile); err != nil {
		return l, false, err
	}
	if l.Current, err = strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err != nil {
		return l, false, errTorn
	}
	return l, true, nil
}
