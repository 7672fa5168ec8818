package hostfs

import (
	"errors"

	"golang.org/x/sys/unix"
)

// FDType gives the mode of what a process has open by statx(2) of the link in
// /proc/PID/fd: its type and nothing else, from the inode in the kernel's memory.
// Nothing is opened, and no path is walked: the link leads to the file itself. Two
// things might ask a server (fs/namei.c, complete_walk; fs/stat.c, vfs_statx):
//
//   - d_weak_revalidate at the end of such a link, which of Linux's own
//     filesystems NFS, 9p and an overlay on these have;
//   - getattr. AT_STATX_DONT_SYNC forbids it, and an overlay passes that on.
//
// So it is for files of a filesystem that is Local. Where there is no statx
// (before Linux 4.11, or by an old seccomp profile) fstatat is as good, but for
// an overlay, which asks what it stands on.
func (p *Proc) FDType(pid int, fd, fstype string) (mode uint16, err error) {
	path := p.atPID(pid, "fd/"+fd)
	if err := p.guard.check(path); err != nil {
		return 0, err
	}
	p.enter()
	defer p.leave()
	mode, err = statxMode(p.fd, path)
	if stacked := fstype == "overlay"; !stacked && (errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM)) {
		var st unix.Stat_t
		err = fstatat(p.fd, path, &st)
		mode = uint16(st.Mode)
	}
	if err != nil {
		return 0, pathError("statx", path, err)
	}
	return mode, nil
}
