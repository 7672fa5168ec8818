//go:build linux

package probe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// detachedNode has an xfs that is mounted, an ext4 and a btrfs of two disks that
// are not, names in sysfs that are no device's, and a process with two files on
// a mount that is in no table.
const detachedNode = smallNode + `
-- proc/1/mountinfo --
30 1 8:1 / / rw - xfs /dev/sda1 rw
-- proc/1/ns/mnt -> mnt:[100] --
-- proc/2 (process) --
comm kthreadd
parent 0
kernel
-- proc/9 (process) --
comm java
-- proc/9/ns/mnt -> mnt:[100] --
-- proc/9/fd/0 -> /etc/hosts --
-- proc/9/fd/1 -> /data/b (deleted) --
-- proc/9/fd/2 -> /data/b (deleted) --
-- proc/9/fd/3 -> /memfd:x (deleted) --
-- proc/9/fd/4 -> pipe:[7] --
-- proc/9/fdinfo/0 --
mnt_id:	30
-- proc/9/fdinfo/1 --
pos:	0
flags:	0100000
mnt_id:	31
-- proc/9/fdinfo/2 --
mnt_id:	31
-- proc/9/fdinfo/3 --
mnt_id:	3
-- proc/9/fdinfo/4 --
mnt_id:	4
-- sys/dev/block/8:1 -> ../../devices/pci/block/sda/sda1 --
-- sys/dev/block/7:5 -> ../../devices/virtual/block/loop5 --
-- sys/dev/block/8:16 -> ../../devices/pci/block/sdb --
-- sys/dev/block/8:32 -> ../../devices/pci/block/sdc --
-- sys/fs/xfs/sda1/error/x --
-- sys/fs/xfs/stats/stats --
-- sys/fs/ext4/features/x --
-- sys/fs/ext4/loop5/x --
-- sys/fs/ext4/gone/x --
-- sys/fs/btrfs/5b0f/devices/sdb/x --
-- sys/fs/btrfs/5b0f/devices/sdc/x --
-- sys/fs/btrfs/features/x --
`

// detachedOf is what is reported of a node's detached filesystems.
func detachedOf(t *testing.T, fs hostfs.FS, hostMounts bool) string {
	t.Helper()
	var got []string
	synctest.Test(t, func(t *testing.T) { // an umount is given a second
		first := func(_ context.Context, r run) (publish, error) {
			return func(r *run) { r.req.HostMounts = hostMounts }, nil
		}
		r := collectWith(t, fs, nil, first, collectProcesses, collectMounts, collectDevices)
		for _, d := range r.Devices.List {
			if d.Detached != "" {
				got = append(got, d.Name+" "+d.Detached)
			}
		}
		for _, u := range r.Devices.Detached {
			got = append(got, fmt.Sprintf("%d has %d on %d: %s", u.PID, u.Count, u.Mount, u.Path))
		}
		for _, u := range r.Devices.Unreadable {
			if strings.Contains(u.What, "nowhere") {
				got = append(got, u.What+": "+u.Cause)
			}
		}
	})
	return strings.Join(got, ", ")
}

func TestFilesystemsThatAreMountedNowhere(t *testing.T) {
	const both = "loop5 ext4, sdb btrfs, 9 has 2 on 31: /data/b (deleted)"
	for name, c := range map[string]struct{ change, want string }{
		"nowhere": {"", both},
		"mounted in another namespace": {`
-- proc/9/ns/mnt -> mnt:[200] --
-- proc/9/mountinfo --
31 1 7:5 / / rw - ext4 /dev/loop5 rw
40 31 0:50 / /data rw - btrfs /dev/sdc rw
`, ""},
		"only one of them": {`
-- proc/9/ns/mnt -> mnt:[200] --
-- proc/9/mountinfo --
39 1 7:5 / / rw - ext4 /dev/loop5 rw
`, "sdb btrfs, 9 has 2 on 31: /data/b (deleted)"},
		"a namespace that cannot be read": {`
-- proc/9/ns/mnt (absent) --
-- proc/9/ns/mnt --
`, "filesystems that are mounted nowhere: not all mounts were read"},
		"kernel threads unseen": {`
-- proc/2 (absent) --
`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fs := plant(t, detachedNode+c.change)
			for _, hostMounts := range []bool{false, true} {
				if got := detachedOf(t, fs, hostMounts); got != c.want {
					t.Errorf("the host's mounts only, %v: got %q, want %q", hostMounts, got, c.want)
				}
			}
		})
	}
}

// A volume that was unmounted by umount -l while a file on it is open, on this
// kernel.
func TestRealDetachedVolume(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: a mount needs root")
	}
	dir := t.TempDir()
	image, point := filepath.Join(dir, "disk.img"), filepath.Join(dir, "mnt")
	command(t, "truncate", "--size", "16M", image)
	command(t, "mkfs.ext4", "-q", "-F", image)
	command(t, "mkdir", point)
	command(t, "mount", "-o", "loop", image, point)
	umounted := false
	t.Cleanup(func() {
		if !umounted {
			_ = exec.Command("umount", "--lazy", point).Run()
		}
	})
	held, err := os.Create(filepath.Join(point, "held"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	command(t, "umount", "--lazy", point)
	umounted = true
	fs := hostfs.FS{Proc: "/proc", Sys: "/sys", Root: "/"}
	anyway := func(ctx context.Context, r run) (publish, error) { // a machine of tests may have processes that nobody may look at
		p, err := collectMounts(ctx, r)
		return func(r *run) {
			p(r)
			r.mountIDs = append(mountIDs{}, r.mountIDs...)
		}, err
	}
	r := collectWith(t, fs, nil, collectProcesses, anyway, collectDevices)
	i := slices.IndexFunc(r.Devices.List, func(d report.Device) bool { return d.BackingFile == image })
	if i < 0 || r.Devices.List[i].Detached != "ext4" || r.Devices.List[i].Threads == 0 {
		t.Fatalf("device %d of %+v, unreadable %+v, %+v", i, r.Devices.List, r.Devices.Unreadable, r.Mounts.Unreadable)
	}
	mine := slices.IndexFunc(r.Devices.Detached, func(u report.DetachedUse) bool { return u.PID == os.Getpid() })
	if mine < 0 || r.Devices.Detached[mine].Path != "/held" || r.Devices.Detached[mine].Count != 1 {
		t.Errorf("held by %+v", r.Devices.Detached)
	}
}
