//go:build linux

package probe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// collectWith runs collectors behind that of mounts, whose section is given.
func collectWith(t *testing.T, fs hostfs.FS, mounts *report.Mounts, collectors ...func(context.Context, run) (publish, error)) *report.NodeReport {
	t.Helper()
	r := run{fs: fs, silence: hostfs.NewSilence(), report: &report.NodeReport{Mounts: mounts}}
	for _, c := range collectors {
		p, err := c(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		p(&r)
	}
	return r.report
}

func TestDevicesOfIncident4(t *testing.T) {
	mounts := &report.Mounts{Filesystems: []report.Filesystem{
		{Number: "252:1", Type: "ext4", Source: "/dev/vda1"},
		{Number: "252:2", Type: "vfat", Source: "/dev/vda2"},
		{Number: "252:2880", Type: "ext4", Source: "/dev/vdfiw"},
		{Number: "252:4000", Type: "ext4", Source: "/dev/vdgone"},
		{Number: "253:0", Type: "xfs", Source: "/dev/mapper/vg-lv"},
		{Number: "253:9", Type: "xfs", Source: "/dev/mapper/pulled"},
		{Number: "259:1", Type: "ext4", Source: "/dev/nvme10n1p1"},
		{Number: "259:2", Type: "ext4", Source: "/dev/nvme10n1p12"},
		{Number: "104:0", Type: "ext4", Source: "/dev/cciss/c0d0"},
		{Number: "0:45", Type: "btrfs", Source: "/dev/disk/by-uuid/5b0f"},
		{Number: "0:46", Type: "tmpfs", Source: "/dev/sda1"},
		{Number: "0:47", Type: "btrfs", Source: "/dev/nothing"},
		{Number: "8:32", Type: "xfs", Source: "/dev/sdc"},
	}}
	r := collectWith(t, plantFile(t, "v1-devices-rhel7"), mounts, collectProcesses, collectDevices)
	checkGolden(t, "v1-devices-rhel7", &report.NodeReport{Devices: r.Devices})
	got := map[string]string{}
	for _, d := range r.Devices.List {
		got[d.Name+d.DMName] = deviceText(d)
	}
	for name, want := range map[string]string{
		"vda1":       "size 1072693248, 2 threads since 300, 0 counted, 1 in the log",
		"vda2":       "size 512000, 1 in the log",
		"vdfiw":      "size 0, 3 threads since 100000000, 7 counted, 3 in the log",
		"vdgone":     "gone, 2 threads since 120000000, 3 counted, 1 in the log",
		"dm-0vg-lv":  "size 2048000, offline, 3 threads since 700",
		"pulled":     "gone",
		"nvme10n1p1": "size 51200, dead, 2 threads since 5000 guessed, 1 in the log",
		"cciss/c0d0": "size 2097152, 2 threads since 400, 1 in the log",
		"sdb":        "size 2097152, running, 3 counted, filesystem 0:45",
		"loop0":      "size 10485760, 1 threads since 900",
		"md0":        "size 4194304, 1 threads since 20",
		"sdc":        "",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if _, listed := got["vdspare"]; listed || len(got) != 13 {
		t.Errorf("got %d devices: %v", len(got), got)
	}
}

func deviceText(d report.Device) string {
	var parts []string
	add := func(is bool, format string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(d.Gone, "gone")
	if d.SizeBytes != nil {
		add(true, "size %d", *d.SizeBytes)
	}
	add(d.State != "", "%s", d.State)
	guessed := ""
	if d.Guessed {
		guessed = " guessed"
	}
	add(d.Threads > 0, "%d threads since %d%s", d.Threads, d.ThreadsSince, guessed)
	if d.FSErrors != nil {
		add(true, "%d counted", *d.FSErrors)
	}
	add(d.LogErrors > 0, "%d in the log", d.LogErrors)
	add(d.FSNumber != "", "filesystem %s", d.FSNumber)
	return strings.Join(parts, ", ")
}

// Disks that pods have without a filesystem, by the nodes that are mounted.
func TestDevicesWithoutAFilesystem(t *testing.T) {
	const publish = "/var/lib/kubelet/plugins/kubernetes.io/csi/volumeDevices/publish/pv/uid"
	mounts := &report.Mounts{Filesystems: []report.Filesystem{{Number: "0:6", Type: "devtmpfs"}, {Number: "0:7", Type: "tmpfs"}}, List: []report.Mount{
		{FS: 0, Point: "/dev"}, {FS: 0, Point: "/host/dev", Root: "/sdd"}, {FS: 9, Point: publish, Root: "/sdd"}, {FS: 1, Point: publish, Root: "/sdd"},
		{FS: 0, Point: publish, Root: "/sdb"}, {FS: 0, Point: publish, Root: "/pxd/pxd1"}, {FS: 0, Point: publish, Root: "/longhorn/pvc"}, {FS: 0, Point: publish, Root: "/mapper/vg-lv"}}}
	d := collectWith(t, plant(t, smallNode+`
-- sys/dev/block/8:16 -> ../../devices/pci/block/sdb --
-- sys/dev/block/8:48 -> ../../devices/pci/block/sdd --
-- sys/dev/block/252:1 -> ../../devices/virtual/block/pxd!pxd1 --
-- sys/dev/block/253:0 -> ../../devices/virtual/block/dm-0 --
-- sys/class/block/dm-0/dm/name --
vg-lv
-- sys/class/block/sdb/size --
0
`), mounts, collectDevices).Devices
	var got []string
	for _, dev := range d.List {
		got = append(got, dev.Name+" "+deviceText(dev))
	}
	if strings.Join(got, ",") != "sdb size 0,pxd/pxd1 ,dm-0 " {
		t.Errorf("got %q", got)
	}
}

// Where sysfs cannot be listed, nothing is gone.
func TestDevicesWithoutSysfs(t *testing.T) {
	fs := plant(t, smallNode)
	mounts := &report.Mounts{Filesystems: []report.Filesystem{{Number: "8:1", Type: "xfs", Source: "/dev/sda1"}}}
	d := collectWith(t, fs, mounts, collectDevices).Devices
	if len(d.List) != 1 || d.List[0].Gone || d.List[0].Name != "sda1" || d.List[0].SizeBytes != nil || len(d.Unreadable) != 2 {
		t.Errorf("got %+v", d)
	}
}

// A loop device with ext4, on this kernel: its size, its file and its threads;
// and what it looks like once it has lost all its sectors, as a disk that was
// pulled.
func TestRealLoopDevice(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: a mount needs root")
	}
	dir := t.TempDir()
	image, point := filepath.Join(dir, "disk.img"), filepath.Join(dir, "mnt")
	command(t, "truncate", "--size", "16M", image)
	command(t, "mkfs.ext4", "-q", "-F", image)
	command(t, "mkdir", point)
	command(t, "mount", "-o", "loop", image, point)
	t.Cleanup(func() {
		if out, err := exec.Command("umount", point).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	d := realDevice(t, point)
	if d.Gone || !strings.HasPrefix(d.Name, "loop") || d.SizeBytes == nil || *d.SizeBytes != 16<<20 || d.BackingFile != image ||
		d.Threads < 1 || d.ThreadsSince == 0 || d.Guessed || d.FSErrors == nil || *d.FSErrors != 0 || d.LogErrors != 0 {
		t.Errorf("got %+v: %s", d, deviceText(d))
	}
	command(t, "truncate", "--size", "0", image)
	command(t, "losetup", "--set-capacity", "/dev/"+d.Name)
	_ = os.WriteFile(filepath.Join(point, "lost"), []byte("x"), 0o644)
	_ = exec.Command("sync", "--file-system", point).Run() // fails, as it shall
	d = realDevice(t, point)
	if d.Gone || d.SizeBytes == nil || *d.SizeBytes != 0 || d.LogErrors < 2 || !strings.Contains(d.LogSample, d.Name) || d.Threads < 1 {
		t.Errorf("without its sectors: got %+v: %s", d, deviceText(d))
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// realDevice is what is reported of the device that is mounted at point.
func realDevice(t *testing.T, point string) report.Device {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(point, &st); err != nil {
		t.Fatal(err)
	}
	number := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	mounts := &report.Mounts{Filesystems: []report.Filesystem{{Number: number, Type: "ext4", Source: "/dev/loop"}}}
	r := collectWith(t, hostfs.FS{Proc: "/proc", Sys: "/sys", Root: "/"}, mounts, collectProcesses, collectDevices)
	for _, d := range r.Devices.List {
		if d.Number == number {
			return d
		}
	}
	t.Fatalf("no device %s in %+v", number, r.Devices)
	return report.Device{}
}
