//go:build linux

package probe

import (
	"context"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Bounds of a report. The kernel's own is fs.mount-max, 100,000 for one
// namespace unless somebody has raised it.
const (
	maxMounts          = 100_000  // of one namespace, looked at one by one
	maxMountText       = 32 << 20 // bytes of paths in it
	maxFilesystems     = 65_536
	maxMountNamespaces = 5_000
	maxMountGroups     = 1_000 // of one namespace
	maxAllMountGroups  = 50_000
)

// mounts builds the section of the same name.
type mounts struct {
	run
	proc *hostfs.Proc
	bad  unreadable
	out  *report.Mounts
	// hostPID is whose mounts are listed one by one, see mountPID.
	hostPID int
	hidden  bool
	// filesystems are indices by device number, see device.
	filesystems map[uint64]int
	// roots are what the host has at "/".
	roots  map[rootOfTree]bool
	tree   mountTree
	groups int // made so far
	text   int // bytes of the list's paths
	places *places
	// noStatmount: this kernel does not do it, or not for this process.
	noStatmount bool
	ids         []uint64 // of the namespace at hand
	known       mountIDs
}

// rootOfTree is a mounted directory: two namespaces that have the same one at
// "/" show the same tree.
type rootOfTree struct {
	fs   int
	root string
}

// collectMounts reads the mounts of every namespace, each once and one after
// the other: whoever reads mountinfo holds up the node's own mounts meanwhile.
func collectMounts(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	m := newMounts(r, proc)
	m.readHost()
	found, err := m.findNamespaces(ctx)
	if err != nil {
		return nil, err
	}
	for _, ns := range found {
		m.out.Namespaces = append(m.out.Namespaces, m.namespace(ctx, ns))
	}
	ids := m.known
	if r.req.HostMounts || len(m.bad) > 0 || m.out.Left+m.out.Skipped > 0 {
		ids = nil
	}
	if !r.req.HostMounts {
		m.volumeData(ctx)
		m.uses(ctx, m.residents(found))
	}
	m.out.Unreadable = m.bad.list()
	return func(r *run) { r.report.Mounts, r.mountIDs = m.out, ids }, nil
}

func newMounts(r run, proc *hostfs.Proc) *mounts {
	m := &mounts{run: r, proc: proc, bad: unreadable{}, out: &report.Mounts{Method: methodMountinfo},
		filesystems: map[uint64]int{}, roots: map[rootOfTree]bool{}, places: newPlaces()}
	m.hostPID, m.hidden = r.mountPID(proc)
	return m
}

const methodMountinfo, methodStatmount = "mountinfo", "statmount"

// filesystem is the index of a device's, -1 beyond what a report holds. Its type
// and source are those that it is first seen with; text, which may fail, tells.
func (m *mounts) filesystem(major, minor uint32, text func() (fstype, source string, ok bool)) int {
	key := uint64(major)<<32 | uint64(minor)
	i, known := m.filesystems[key]
	if known {
		return i
	}
	if i = len(m.out.Filesystems); i == maxFilesystems {
		m.bad.add("filesystems", errTooMany)
		return -1
	}
	fstype, source, ok := text()
	if !ok {
		return -1
	}
	m.filesystems[key] = i
	m.out.Filesystems = append(m.out.Filesystems, report.Filesystem{
		Number: hostfs.DeviceNumber(major, minor), Type: report.Escape(fstype), Source: report.Escape(hostfs.RedactSource(source))})
	return i
}

func (m *mounts) filesystemOf(l *hostfs.MountLine) int {
	return m.filesystem(l.Major, l.Minor, func() (string, string, bool) {
		return hostfs.Unmangle(l.FSType), hostfs.Unmangle(l.Source), true
	})
}

// kernelBefore compares the node's kernel with a version; one that cannot be
// told counts as recent.
func (r *run) kernelBefore(major, minor int) bool {
	first, rest, _ := strings.Cut(r.report.Node.Kernel, ".")
	second := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(second)
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}
