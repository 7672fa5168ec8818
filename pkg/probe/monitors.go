//go:build linux

package probe

import (
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// stateDirs are directories with one subdirectory per container, found by the
// arguments of the host's own daemons. A process in a pod may call itself by
// any name and point at a volume that it fills: nothing it says leads here.
type stateDirs struct {
	bundles, docker []string
	states          []string // of runc and crun
}

// isMonitorComm is a cheap first look: only such names can be a shim's or
// dockerd's (RHEL's own is dockerd-current).
func isMonitorComm(comm string) bool {
	return comm == "conmon" || strings.HasPrefix(comm, "containerd-shim") ||
		strings.HasPrefix(comm, "docker-containe") || strings.HasPrefix(comm, "dockerd")
}

// addMonitor reads what a process of the host tells of containers.
func (t *table) addMonitor(p *report.Process, args []string) {
	if strings.HasPrefix(p.Comm, "dockerd") {
		t.dirs.docker = append(t.dirs.docker, dockerDirs(args)...)
		t.dirs.states = append(t.dirs.states, dirsOf(args, "runtime-runc/moby", "--exec-root")...)
		return
	}
	s, ok := hostfs.ParseShim(args)
	if !ok {
		return
	}
	if s.Bundle == "" { // a containerd shim's working directory is its bundle
		if cwd, err := t.proc.Readlink(p.PID, "cwd"); err == nil && cwd != "/" {
			s.Bundle = cwd
		}
	}
	p.Shim = &report.Shim{ID: report.Escape(s.ID), Bundle: report.Escape(s.Bundle)}
	if s.States != "" {
		t.dirs.states = append(t.dirs.states, runDir(s.States))
	}
	// A bundle is one container's directory, its parent holds them all. This
	// finds runtimes with another state directory.
	if dir := strings.TrimSuffix(s.Bundle, "/userdata"); hostfs.IsContainerID(path.Base(dir)) {
		t.dirs.bundles = append(t.dirs.bundles, path.Dir(dir))
	}
}

// runDir: /var/run is a link to /run, and an absolute one is not followed.
func runDir(dir string) string {
	if dir = path.Clean(dir); strings.HasPrefix(dir, "/var/run/") {
		return dir[len("/var"):]
	}
	return dir
}

// dockerDirs: dockerd -g DIR, --graph DIR, --data-root DIR.
func dockerDirs(args []string) []string {
	return dirsOf(args, "containers", "-g", "--graph", "--data-root")
}

// dirsOf are the values of options, each with sub below it.
func dirsOf(args []string, sub string, options ...string) []string {
	var dirs []string
	for i, a := range args {
		key, value, given := strings.Cut(a, "=")
		if !slices.Contains(options, key) {
			continue
		}
		if !given && i+1 < len(args) {
			value = args[i+1]
		}
		if value != "" {
			dirs = append(dirs, runDir(path.Join(value, sub)))
		}
	}
	return dirs
}
