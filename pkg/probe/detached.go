//go:build linux

package probe

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxDetachedFiles = 50_000 // whose fdinfo is read
	maxDetachedUses  = 1_000  // reported
	detachedTime     = 2 * time.Second
	// An umount that has nothing to wait for has ended by then.
	umountTime = time.Second
)

var errMountsMissing = errors.New("not all mounts were read")

// mountIDs are a set of mountinfo's ids, bit by bit: the kernel gives the lowest
// that is free.
type mountIDs []uint64

const maxMountID = 1 << 24

func (s *mountIDs) add(id int) {
	if id < 0 || id >= maxMountID {
		return
	}
	for len(*s) <= id/64 {
		*s = append(*s, 0)
	}
	(*s)[id/64] |= 1 << (id % 64)
}

func (s mountIDs) has(id int) bool {
	return id/64 < len(s) && s[id/64]&(1<<(id%64)) != 0
}

// detached marks the devices whose filesystem the kernel keeps although it is
// mounted nowhere, and finds who has files open on such mounts. On a node that
// does not see the kernel's threads (kind) the others may be somebody else's.
func (d *devices) detached(ctx context.Context) ([]report.DetachedUse, error) {
	if d.report.Mounts == nil || len(d.kernelThreads) == 0 || !d.complete {
		return nil, nil
	}
	found := d.unmounted()
	if len(found) == 0 {
		return nil, nil
	}
	u, err := d.lookAgain(ctx, found)
	if err != nil {
		d.bad.add("filesystems that are mounted nowhere", err)
		return nil, nil
	}
	defer u.proc.Close()
	if len(found) == 0 {
		return nil, nil
	}
	u.find(ctx)
	if err := sleep(ctx, umountTime); err != nil {
		return nil, err
	}
	still := false
	for number := range d.unmounted() {
		if fstype := found[number]; fstype != "" {
			if dev := d.list(d.byNumber[number]); dev != nil {
				dev.Detached, still = fstype, true
			}
		}
	}
	if !still {
		return nil, nil
	}
	return u.list, nil
}

// lookAgain strikes off what has been mounted since the mounts were read. Where only
// the host's were, the other namespaces are read now: few nodes have anything left
// to look for.
func (d *devices) lookAgain(ctx context.Context, found map[string]string) (*detachedUses, error) {
	missing := d.mountIDs == nil
	if m := d.report.Mounts; d.req.HostMounts {
		missing = len(m.Unreadable) > 0 || m.Left+m.Skipped > 0
	}
	if missing {
		return nil, errMountsMissing
	}
	proc, err := hostfs.OpenProc(d.fs)
	if err != nil {
		return nil, err
	}
	u := &detachedUses{devices: d, proc: proc, known: append(mountIDs(nil), d.mountIDs...), kernel: map[int]bool{}, left: maxDetachedFiles}
	sources := &sourceNames{devices: d}
	defer sources.close()
	var pids []int
	for _, ns := range d.report.Mounts.Namespaces {
		if ns.Host || d.req.HostMounts {
			pids = append(pids, ns.PID)
		}
	}
	for _, pid := range pids {
		if err = ctx.Err(); err == nil && len(found) > 0 {
			_, err = proc.EachMountLineOf(pid, func(l *hostfs.MountLine) {
				u.known.add(l.ID)
				number := hostfs.DeviceNumber(l.Major, l.Minor)
				delete(found, number)
				if d.req.HostMounts && l.Major == 0 { // btrfs: unmounted knows its devices
					sources.mounted(report.Filesystem{Number: number, Type: string(l.FSType), Source: hostfs.Unmangle(l.Source)})
				}
			})
		}
		if err != nil {
			proc.Close()
			return nil, err
		}
	}
	return u, nil
}

// unmounted are the types of such filesystems, by their device's number.
func (d *devices) unmounted() map[string]string {
	found := map[string]string{}
	names := map[string]int{}
	for i, b := range d.all {
		names[b.Name] = i
	}
	for _, fs := range d.sys.ActiveFilesystems() {
		first := -1
		for _, name := range fs.Devices {
			i, known := names[name]
			if !known || d.of[i] != nil && len(d.of[i].fstypes) > 0 {
				first = -1
				break
			}
			if first < 0 || name < d.all[first].Name {
				first = i
			}
		}
		if first >= 0 { // btrfs: one device stands for all
			found[d.all[first].Number] = fs.Type
		}
	}
	return found
}

// detachedUses seeks files on mounts that are in no table.
type detachedUses struct {
	*devices
	proc   *hostfs.Proc
	known  mountIDs
	kernel map[int]bool
	list   []report.DetachedUse
	left   int
}

func (u *detachedUses) find(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, detachedTime)
	defer cancel()
	const what = "/proc/PID/fdinfo/* for files on mounts that are nowhere"
	pids, err := u.proc.PIDs()
	if err != nil {
		u.bad.add(what, err)
	}
	for _, t := range u.kernelThreads {
		u.kernel[t.pid] = true
	}
	for _, pid := range pids {
		switch {
		case u.kernel[pid]:
		case ctx.Err() != nil:
			u.bad.add(what, errNoTime)
			return
		case u.left <= 0 || len(u.list) >= maxDetachedUses:
			u.bad.add(what, errTooMany)
			return
		default:
			u.of(pid)
		}
	}
}

// of adds the files of one process.
func (u *detachedUses) of(pid int) {
	first := len(u.list)
	err := u.proc.EachFD(pid, func(fd, link []byte) bool {
		if onMount(link) {
			u.left--
			u.add(first, pid, fd, string(link))
		}
		return u.left > 0 && len(u.list) < maxDetachedUses
	})
	if err != nil && !hostfs.Gone(err) {
		u.bad.add("/proc/PID/fd", err)
	}
}

func (u *detachedUses) add(first, pid int, fd []byte, path string) {
	b, err := u.proc.Read(fdinfoOf(pid, fd))
	if err != nil {
		return // closed meanwhile
	}
	id, ok := hostfs.FDMount(b)
	if !ok || id >= maxMountID || u.known.has(id) {
		return
	}
	for i := range u.list[first:] {
		if of := &u.list[first+i]; of.Mount == id {
			of.Count++
			return
		}
	}
	u.list = append(u.list, report.DetachedUse{PID: pid, Mount: id, Count: 1, Path: report.Escape(path)})
}

// onMount spares what is on the kernel's own mounts, which are in no table: pipes,
// sockets, memory by memfd, System V, DRM or a shared mapping.
func onMount(link []byte) bool {
	if !bytes.HasPrefix(link, []byte("/")) {
		return false
	}
	for _, own := range [...]string{"/memfd:", "/dev/zero (deleted)", "/SYSV", "/anon_hugepage", "/drm mm object", "/i915", "/dmabuf:"} {
		if bytes.HasPrefix(link, []byte(own)) {
			return false
		}
	}
	return true
}
