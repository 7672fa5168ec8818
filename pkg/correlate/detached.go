package correlate

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Detached are filesystems that the kernel keeps although they are mounted
// nowhere, and the processes with files open on such mounts; which of these is on
// which device nobody can tell.
type Detached struct {
	Devices   []report.Device `json:"devices"`
	Processes []VolumeProcess `json:"processes,omitempty"`
	// Kept are files that keep a mount namespace which no process lives in: what is
	// mounted there nobody sees.
	Kept []string `json:"kept,omitempty"`
}

// detached is nil where there are none.
func (n *Node) detached() *Detached {
	if n.Report.Devices == nil {
		return nil
	}
	var out Detached
	for _, d := range n.Report.Devices.List {
		if d.Detached != "" {
			out.Devices = append(out.Devices, d)
		}
	}
	if len(out.Devices) == 0 {
		return nil
	}
	for _, u := range n.Report.Devices.Detached {
		out.Processes = append(out.Processes, n.volumeProcess(report.MountUse{PID: u.PID, What: "fd", Count: u.Count, Path: u.Path}))
	}
	if n.Report.Mounts != nil {
		out.Kept = keptNamespaces(n.Report.Mounts)
	}
	return &out
}

// keptNamespaces are where mount namespaces are mounted, as snapd and unshare
// --mount=FILE do:
//
//	0:4 mnt:[4026532512] /run/snapd/ns/lxd.mnt - nsfs
func keptNamespaces(m *report.Mounts) (files []string) {
	lived := map[string]bool{}
	for _, ns := range m.Namespaces {
		lived[fmt.Sprintf("mnt:[%d]", ns.Inode)] = true
	}
	for _, at := range m.List {
		if strings.HasPrefix(at.Root, "mnt:[") && !lived[at.Root] && at.FS >= 0 && at.FS < len(m.Filesystems) && m.Filesystems[at.FS].Type == "nsfs" && len(files) < maxNames {
			lived[at.Root] = true
			files = append(files, at.Point)
		}
	}
	return files
}

// volumeProcess names the process that is at work on a filesystem.
func (n *Node) volumeProcess(u report.MountUse) VolumeProcess {
	p := VolumeProcess{PID: u.PID, Owner: Owner{Type: OwnerUnknown}, What: u.What, Count: u.Count, Path: u.Path}
	if process := n.processes[u.PID]; process != nil {
		p.Comm, p.Owner = process.Comm, n.Blame(process).Owner
	}
	return p
}
