//go:build linux

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// FindRoot gives the path to the node's own root directory, seen from a pod
// that shares the node's pid namespace: through PID 1, or through the kubelet
// where PID 1 refuses.
func FindRoot(procDir string) (string, error) {
	proc, err := hostfs.OpenProc(hostfs.FS{Proc: procDir})
	if err != nil {
		return "", err
	}
	defer proc.Close()
	first := rootOf(procDir, 1)
	if err = enterable(first); err == nil {
		return first, nil
	}
	pids, listErr := proc.PIDs()
	if listErr != nil {
		return "", listErr
	}
	for _, pid := range pids {
		if isKubelet(proc, pid) && enterable(rootOf(procDir, pid)) == nil {
			return rootOf(procDir, pid), nil
		}
	}
	return "", fmt.Errorf("failed to open the node's root directory: %s: %s; no kubelet to try instead", first, hostfs.Cause(err))
}

func rootOf(procDir string, pid int) string {
	return filepath.Join(procDir, strconv.Itoa(pid), "root")
}

func enterable(dir string) error {
	f, err := os.Open(dir)
	if err == nil {
		f.Close()
	}
	return err
}

// isKubelet: named so, and run by the host: whatever a pod runs under that name
// has a cgroup below kubepods, or above the view of a pod that looks.
func isKubelet(proc *hostfs.Proc, pid int) bool {
	b, err := proc.ReadPID(pid, "status") // nobody watches yet, and stat may block
	if err != nil || hostfs.ParseStatus(b).Name != "kubelet" {
		return false
	}
	b, err = proc.ReadPID(pid, "cgroup")
	return err == nil && !slices.ContainsFunc(hostfs.ParseCgroup(b), func(l hostfs.CgroupLine) bool {
		return strings.Contains(l.Path, "kubepods") || hostfs.InPod(l.Path)
	})
}

// rootPID is the process through which fs.Root looks, for its mounts: the
// number in /proc/PID/root, else this process's own view.
func rootPID(fs hostfs.FS) int {
	dir, base := filepath.Split(filepath.Clean(fs.Root))
	procDir, number := filepath.Split(filepath.Clean(dir))
	pid, err := strconv.Atoi(number)
	if err != nil || base != "root" || filepath.Clean(procDir) != filepath.Clean(fs.Proc) {
		return 1
	}
	return pid
}
