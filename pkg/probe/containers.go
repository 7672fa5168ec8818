//go:build linux

package probe

import (
	"context"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxContainers  = 10_000
	maxStateFile   = 4 << 20 // bytes; a large OCI config is some 100 KB
	maxPodLogDirs  = 10_000
	podLogsDir     = "/var/log/pods"
	logsDir        = "/var/log/containers"
	bundleFileName = "config.json"
)

// containerDirs are directories with one subdirectory per container. More are
// found by the shims' bundles and dockerd's arguments.
func containerDirs() (bundles, docker []string) {
	const task = "/io.containerd.runtime.v2.task/k8s.io"
	return []string{
			"/run/containerd" + task,
			"/run/k3s/containerd" + task,
			"/run/k0s/containerd" + task,
			"/var/snap/microk8s/common/run/containerd" + task,
			"/run/containerd/io.containerd.runtime.v1.linux/k8s.io",
			"/run/containers/storage/overlay-containers",
			"/var/lib/containers/storage/overlay-containers",
		}, []string{
			"/var/lib/docker/containers",
		}
}

// collectContainers reads what the runtimes left on disk; no runtime is asked.
func collectContainers(ctx context.Context, r run) (publish, error) {
	out, err := readContainers(ctx, r, map[string]bool{})
	return func(r *run) { r.report.Containers = out }, err
}

// readContainers passes over the containers that have been seen.
func readContainers(ctx context.Context, r run, seen map[string]bool) (*report.Containers, error) {
	bad := unreadable{}
	root, err := hostfs.OpenRoot(r.fs, rootMounts(r.fs, bad))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	s := &stateFiles{root: root, bad: bad, seen: seen, out: &report.Containers{}}
	bundles, docker := containerDirs()
	for _, dir := range unique(append(bundles, r.dirs.bundles...)) {
		s.each(ctx, dir, s.bundle)
	}
	docker = append(docker, s.dockerRoot()...)
	for _, dir := range unique(append(docker, r.dirs.docker...)) {
		s.each(ctx, dir, s.docker)
	}
	s.podLogs()
	s.containerLogs()
	s.out.Unreadable = s.bad.list()
	sort.Slice(s.out.List, func(i, j int) bool { return s.out.List[i].ID < s.out.List[j].ID })
	return s.out, nil
}

// rootMounts are the mounts of the namespace behind fs.Root. Without them
// nothing tells what lies on a network filesystem.
func rootMounts(fs hostfs.FS, bad unreadable) []hostfs.Mount {
	proc, err := hostfs.OpenProc(fs)
	if err != nil {
		return nil
	}
	defer proc.Close()
	mounts, skipped, err := proc.ReadMounts(rootPID(fs))
	if err != nil {
		bad.add("/proc/PID/mountinfo", err)
	}
	if skipped > 0 {
		bad.add("lines of /proc/PID/mountinfo", errTorn)
	}
	return mounts
}

type stateFiles struct {
	root *hostfs.Root
	bad  unreadable
	seen map[string]bool
	out  *report.Containers
}

// each calls read for every container's directory in dir. A directory that is
// not there belongs to a runtime that is not here.
func (s *stateFiles) each(ctx context.Context, dir string, read func(dir, id string)) {
	ids, err := s.root.ReadDirNames(dir, maxContainers)
	if err != nil {
		if !hostfs.Gone(err) {
			s.bad.add(dir, err)
		}
		return
	}
	sort.Strings(ids)
	for _, id := range ids {
		if ctx.Err() != nil || len(s.out.List) >= maxContainers {
			s.bad.add(dir, errTooMany)
			return
		}
		if !s.seen[id] && hostfs.IsContainerID(id) {
			read(dir, id)
		}
	}
}

// bundle reads an OCI bundle: containerd keeps it in the container's directory,
// cri-o in "userdata" below it.
func (s *stateFiles) bundle(dir, id string) {
	var file string
	var b []byte
	var err error
	for _, sub := range []string{"", "userdata"} {
		file = path.Join(dir, id, sub, bundleFileName)
		if b, err = s.root.ReadFile(file, maxStateFile); err == nil || !hostfs.Gone(err) {
			break
		}
	}
	if err != nil {
		s.failed(path.Join(dir, "ID", bundleFileName), err)
		return
	}
	c, ok, err := hostfs.ParseOCIConfig(id, b)
	if err != nil {
		s.bad.add(path.Join(dir, "ID", bundleFileName), err)
	}
	if ok {
		s.add(c, file, bundleRoot(path.Dir(file), c.Root))
	}
}

// dockerRoot is where docker's own configuration puts its containers.
func (s *stateFiles) dockerRoot() []string {
	const file = "/etc/docker/daemon.json"
	b, err := s.root.ReadFile(file, maxStateFile)
	if err != nil {
		s.failed(file, err)
		return nil
	}
	root, err := hostfs.ParseDockerDaemonConfig(b)
	if err != nil {
		s.bad.add(file, err)
	}
	if root == "" {
		return nil
	}
	return []string{path.Join(root, "containers")}
}

func (s *stateFiles) docker(dir, id string) {
	file := path.Join(dir, id, "config.v2.json")
	b, err := s.root.ReadFile(file, maxStateFile)
	if err != nil {
		s.failed(path.Join(dir, "ID/config.v2.json"), err)
		return
	}
	c, err := hostfs.ParseDockerConfig(b)
	if err != nil {
		s.bad.add(path.Join(dir, "ID/config.v2.json"), err)
		return
	}
	c.ID = id
	s.add(c, file, s.dockerRootfs(path.Dir(dir), c))
}

// bundleRoot: containerd's is "rootfs" in the bundle, cri-o's an absolute path.
func bundleRoot(bundle, root string) string {
	if root == "" || path.IsAbs(root) {
		return root
	}
	return path.Join(bundle, root)
}

// dockerRootfs asks the storage driver's own file for the name that it has for
// the container, which stays while the container cannot be removed.
func (s *stateFiles) dockerRootfs(dataRoot string, c hostfs.RuntimeContainer) string {
	const limit = 256 // bytes; it is one id
	name := c.ID
	if file := hostfs.DockerMountID(c.Driver, c.ID); file != "" {
		b, err := s.root.ReadFile(path.Join(dataRoot, file), limit)
		if err != nil {
			s.failed(path.Join(dataRoot, "image/DRIVER/layerdb/mounts/ID/mount-id"), err)
			return ""
		}
		name = strings.TrimSpace(string(b))
	}
	below := hostfs.DockerRootfs(c.Driver, name)
	if below == "" {
		return ""
	}
	return path.Join(dataRoot, below)
}

func (s *stateFiles) failed(what string, err error) {
	if !hostfs.Gone(err) {
		s.bad.add(what, err)
	}
}

func (s *stateFiles) add(c hostfs.RuntimeContainer, source, rootfs string) {
	e := report.Escape
	s.seen[c.ID] = true
	s.out.List = append(s.out.List, report.Container{
		ID: e(c.ID), Runtime: c.Runtime, Sandbox: c.Sandbox, Name: e(c.Name), Image: e(c.Image), SandboxID: e(c.SandboxID),
		PodUID: e(c.PodUID), PodName: e(c.PodName), PodNamespace: e(c.PodNamespace), Source: e(source),
		State: c.State, Rootfs: e(rootfs),
	})
}

func (s *stateFiles) podLogs() {
	names, err := s.root.ReadDirNames(podLogsDir, maxPodLogDirs)
	if err != nil {
		s.failed(podLogsDir, err)
		return
	}
	sort.Strings(names)
	for _, name := range names {
		if namespace, pod, uid, ok := hostfs.ParsePodLogDir(name); ok {
			s.out.Pods = append(s.out.Pods, report.PodRecord{UID: report.Escape(uid), Namespace: report.Escape(namespace), Name: report.Escape(pod)})
		}
	}
}

// containerLogs names those that the runtime has no file of any more: a
// container's files go when it ends, its log stays for the kubelet to show.
func (s *stateFiles) containerLogs() {
	names, err := s.root.ReadDirNames(logsDir, maxContainers)
	if err != nil {
		s.failed(logsDir, err)
		return
	}
	sort.Strings(names)
	for _, name := range names {
		if namespace, pod, container, id, ok := hostfs.ParseContainerLog(name); ok && !s.seen[id] {
			s.out.Ended = append(s.out.Ended, report.ContainerRecord{ID: id, Name: report.Escape(container), Namespace: report.Escape(namespace), Pod: report.Escape(pod)})
		}
	}
}

// unique keeps the first of each, in order: well-known places come first.
func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
