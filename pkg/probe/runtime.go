//go:build linux

package probe

import (
	"context"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	daemonPatience = 2 * time.Second
	maxPodDirs     = 10_000
)

// runtimeSockets are where the daemons listen, by default and in distributions.
func runtimeSockets() []report.RuntimeDaemon {
	return []report.RuntimeDaemon{
		{Name: "containerd", Socket: "/run/containerd/containerd.sock"},
		{Name: "containerd", Socket: "/run/k3s/containerd/containerd.sock"},
		{Name: "containerd", Socket: "/run/k0s/containerd.sock"},
		{Name: "containerd", Socket: "/var/snap/microk8s/common/run/containerd.sock"},
		{Name: dockerName, Socket: "/run/docker.sock"},
		{Name: "cri-dockerd", Socket: "/run/cri-dockerd.sock"},
		{Name: "cri-o", Socket: "/run/crio/crio.sock"},
	}
}

const dockerName = "docker"

// stateRoots are where runc and crun keep their state: each shim's, by runtime. Others
// are known by the arguments of shims and dockerd.
func stateRoots() []string {
	return []string{
		"/run/containerd/runc/k8s.io",
		"/run/containerd/runc/moby",
		"/run/docker/runtime-runc/moby",
		"/run/docker/runtime-runc",
		"/run/runc",
		"/run/crun",
	}
}

// runtimeState collects what the runtimes have, and what is left behind.
type runtimeState struct {
	run
	root *hostfs.Root
	bad  unreadable
	out  *report.Runtime
	seen map[string]bool
}

func collectRuntime(ctx context.Context, r run) (publish, error) {
	bad := unreadable{}
	root, err := hostfs.OpenRoot(r.fs, rootMounts(r.fs, bad))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	s := &runtimeState{run: r, root: root, bad: bad, out: &report.Runtime{}, seen: map[string]bool{}}
	for _, dir := range unique(append(stateRoots(), r.dirs.states...)) {
		s.states(ctx, dir)
	}
	bundles, _ := containerDirs()
	for _, dir := range unique(append(bundles, r.dirs.bundles...)) {
		s.bundles(ctx, dir)
	}
	s.daemons(ctx)
	s.out.Programs = runtimePrograms(root)
	if err := s.pods(ctx); err != nil {
		return nil, err
	}
	s.out.Unreadable = s.bad.list()
	return func(r *run) { r.report.Runtime = s.out }, nil
}

func (s *runtimeState) ids(dir string) []string {
	ids, err := s.root.ReadDirNames(dir, maxContainers)
	if err != nil && !hostfs.Gone(err) {
		s.bad.add(dir, err)
	}
	sort.Strings(ids)
	return ids
}

// ofContainer: what Kubernetes has made has an id, what a person has made in its
// namespace (ctr -n k8s.io run) any name.
func ofContainer(dir, name string) bool {
	return hostfs.IsContainerID(name) || path.Base(dir) == "k8s.io" && hostfs.IsContainerName(name)
}

// states reads what the low-level runtime says of each container. exec.fifo is there
// while the first process waits for its start.
func (s *runtimeState) states(ctx context.Context, dir string) {
	for _, id := range s.ids(dir) {
		if !ofContainer(dir, id) || s.seen[id] || !s.room(ctx, dir) {
			continue
		}
		for _, name := range []string{"state.json", "status"} {
			file := path.Join(dir, id, name)
			b, err := s.root.ReadFile(file, maxStateFile)
			if err != nil {
				s.failed(path.Join(dir, "ID", name), err)
				continue
			}
			state, err := hostfs.ParseRuncState(b)
			if err != nil {
				s.bad.add(path.Join(dir, "ID", name), err)
				continue
			}
			s.add(id, file, state, dir)
			break
		}
	}
}

// bundles are those of containers that the low-level runtime has no state of: it has
// deleted it, or has never come so far. containerd leaves the first process's id.
func (s *runtimeState) bundles(ctx context.Context, dir string) {
	for _, id := range s.ids(dir) {
		if !hostfs.IsContainerID(id) || s.seen[id] || !s.room(ctx, dir) {
			continue
		}
		state := hostfs.RuntimeState{}
		file := path.Join(dir, id, "init.pid")
		b, err := s.root.ReadFile(file, 32)
		switch {
		case err == nil:
			if n, ok := hostfs.ParseNumber(b); ok {
				state.PID = int(n)
			}
		case !hostfs.Gone(err):
			s.bad.add(path.Join(dir, "ID/init.pid"), err)
		}
		s.add(id, path.Join(dir, id), state, "")
	}
}

func (s *runtimeState) room(ctx context.Context, dir string) bool {
	if ctx.Err() == nil && len(s.out.Tasks) < maxContainers {
		return true
	}
	s.bad.add(dir, errTooMany)
	return false
}

func (s *runtimeState) failed(what string, err error) {
	if !hostfs.Gone(err) {
		s.bad.add(what, err)
	}
}

func (s *runtimeState) add(id, source string, state hostfs.RuntimeState, stateDir string) {
	s.seen[id] = true
	t := report.RuntimeTask{ID: id, PID: state.PID, Created: state.Created, Source: report.Escape(source)}
	process := s.process(state.PID)
	switch {
	case state.PID == 0 || s.report.Processes == nil:
	case process == nil || process.State == "Z" || state.StartTicks != 0 && process.StartTicks != 0 && process.StartTicks != state.StartTicks:
		t.State = report.TaskStopped
	case stateDir != "" && s.waitsForStart(path.Join(stateDir, id)):
		t.State = report.TaskCreated
	default:
		t.State = report.TaskRunning
	}
	s.out.Tasks = append(s.out.Tasks, t)
}

// process finds one in the process table; nil: it is not there.
func (r *run) process(pid int) *report.Process {
	if r.report.Processes == nil {
		return nil
	}
	list := r.report.Processes.List // by pid
	i := sort.Search(len(list), func(i int) bool { return list[i].PID >= pid })
	if i < len(list) && list[i].PID == pid {
		return &list[i]
	}
	return nil
}

func (s *runtimeState) waitsForStart(dir string) bool {
	names, err := s.root.ReadDirNames(dir, 100)
	if err != nil {
		s.failed("state directories of containers", err)
	}
	for _, name := range names {
		if name == "exec.fifo" {
			return true
		}
	}
	return false
}

// kubeletCleans is longer than the kubelet takes between two looks at pods that have
// ended (housekeeping, 2 s).
const kubeletCleans = 3 * time.Second

// pods reads the directories and cgroups of pods. Where some belong to no container,
// the kubelet may be about to remove them: who is there at a second look stays.
func (s *runtimeState) pods(ctx context.Context) error {
	s.podDirs()
	s.podCgroups(ctx)
	if !s.ownerless() {
		return nil
	}
	if err := sleep(ctx, kubeletCleans); err != nil {
		return err
	}
	dirs, cgroups := s.out.PodDirs, s.out.PodCgroups
	s.out.PodDirs, s.out.PodCgroups = nil, nil
	s.podDirs()
	s.podCgroups(ctx)
	s.out.PodDirs = slices.DeleteFunc(s.out.PodDirs, func(d string) bool { return !slices.Contains(dirs, d) })
	s.out.PodCgroups = slices.DeleteFunc(s.out.PodCgroups, func(c report.PodCgroup) bool {
		return !slices.ContainsFunc(cgroups, func(before report.PodCgroup) bool { return before.Path == c.Path })
	})
	return nil
}

// ownerless: a pod directory or cgroup without a container.
func (s *runtimeState) ownerless() bool {
	uids := map[string]bool{}
	if s.report.Containers != nil {
		for _, c := range s.report.Containers.List {
			uids[c.PodUID] = true
		}
	}
	return slices.ContainsFunc(s.out.PodDirs, func(uid string) bool { return !uids[uid] }) ||
		slices.ContainsFunc(s.out.PodCgroups, func(c report.PodCgroup) bool { return !c.Populated })
}

// podDirs are names only: what is in them may be mounted.
func (s *runtimeState) podDirs() {
	dir := "/var/lib/kubelet"
	if s.kubelet != nil && s.kubelet.out.RootDir != "" {
		dir = report.Unescape(s.kubelet.out.RootDir)
	}
	names, err := s.root.ReadDirNames(path.Join(dir, "pods"), maxPodDirs)
	if err != nil && !hostfs.Gone(err) {
		s.bad.add(path.Join(dir, "pods"), err)
	}
	sort.Strings(names)
	for _, name := range names {
		s.out.PodDirs = append(s.out.PodDirs, report.Escape(name))
	}
}

// daemons greets those whose sockets are there.
func (s *runtimeState) daemons(ctx context.Context) {
	for _, d := range runtimeSockets() {
		if ctx.Err() != nil {
			return
		}
		if by := activated(d.Name); by != "" && !s.runs(by) {
			continue
		}
		took, err := s.root.Greet(d.Socket, d.Name == dockerName, daemonPatience)
		switch {
		case hostfs.Gone(err):
			continue
		case err != nil:
			d.Error = report.Escape(err.Error())
		default:
			ms := took.Milliseconds()
			d.AnswerMillis = &ms
		}
		s.out.Daemons = append(s.out.Daemons, d)
	}
}

// activated is the program of a daemon whose socket systemd may listen on
// (docker.socket): a connection would start it on a node that does not use it.
func activated(daemon string) string {
	switch daemon {
	case dockerName:
		return "dockerd"
	case "cri-dockerd":
		return daemon
	}
	return ""
}

// runs: a program by that name, or one that begins so (dockerd-current of RHEL 7).
func (s *runtimeState) runs(comm string) bool {
	return s.report.Processes != nil && slices.ContainsFunc(s.report.Processes.List, func(p report.Process) bool { return strings.HasPrefix(p.Comm, comm) })
}
