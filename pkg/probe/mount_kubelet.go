//go:build linux

package probe

import "github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"

// mountPID is the process whose mounts count as the host's: that of rootPID, but
// where the kubelet has volumes mounted that rootPID does not see, the kubelet. It
// lives in a mount namespace of its own then: OpenShift's encapsulation (unshare
// --propagation slave), a snap that is confined, a unit with PrivateMounts=. A
// kubelet in a container of the host's (Talos, RKE) shares its mounts with it.
func (r *run) mountPID(proc *hostfs.Proc) (pid int, hidden bool) {
	pid = rootPID(r.fs)
	host, err := proc.Readlink(pid, "ns/mnt")
	if err != nil || r.report.Processes == nil {
		return pid, false
	}
	pids, _ := proc.Readlink(pid, "ns/pid")
	k := kubelet{run: *r}
	for i := range r.report.Processes.List {
		p := &r.report.Processes.List[i]
		if p.Kernel || p.State == "Z" || !hostfs.MayBeKubelet(p.Comm) || k.contained(p, true) {
			continue
		}
		if ns, err := proc.Readlink(p.PID, "ns/mnt"); err != nil || ns == host {
			continue
		}
		if ns, _ := proc.Readlink(p.PID, "ns/pid"); ns != pids {
			continue // that of a node within this one (LXC, systemd-nspawn)
		}
		// Twice as many: volumes come and go between two readings.
		if volumesSeen(proc, p.PID) > 2*volumesSeen(proc, pid) {
			return p.PID, true
		}
	}
	return pid, false
}

// volumesSeen counts mounts in the kubelet's directories. That they could not be
// read is said when they are listed.
func volumesSeen(proc *hostfs.Proc, pid int) (n int) {
	_, _ = proc.EachMountLineOf(pid, func(l *hostfs.MountLine) {
		if point := string(l.Point); isVolumePath(point) && !isCopy(point) {
			n++
		}
	})
	return n
}
