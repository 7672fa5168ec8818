package hostfs

import (
	"strings"
	"testing"
)

func TestBlockLinks(t *testing.T) {
	for _, c := range []struct {
		number, target string
		want           BlockDevice
	}{
		{"8:1", "../../devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1", BlockDevice{"sda1", "8:1", "sda"}},
		{"252:2880", "../../devices/pci0000:00/0000:00:02.0/virtio1/block/vdfiw", BlockDevice{"vdfiw", "252:2880", ""}},
		{"253:0", "../../devices/virtual/block/dm-0", BlockDevice{"dm-0", "253:0", ""}},
		{"104:1", "../../devices/pci0000:00/cciss0/c0d0/block/cciss!c0d0/cciss!c0d0p1", BlockDevice{"cciss/c0d0p1", "104:1", "cciss/c0d0"}},
		{"259:1", "../../devices/pci0000:00/nvme/nvme0/nvme0n1/nvme0n1p1", BlockDevice{"nvme0n1p1", "259:1", "nvme0n1"}},
		{"259:0", "../../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1", BlockDevice{"nvme0n1", "259:0", ""}},
		{"259:9", "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p3", BlockDevice{"nvme0n1p3", "259:9", "nvme0n1"}},
		{"x", "../../devices/virtual/block/dm-0", BlockDevice{}},
		{"8:1", "", BlockDevice{}},
		{"8:1", "../../devices/block/", BlockDevice{}},
	} {
		if got, ok := parseBlockLink(c.number, c.target); got != c.want || ok != (c.want.Name != "") {
			t.Errorf("%s: got %+v, want %+v", c.target, got, c.want)
		}
	}
}

func TestDiskOf(t *testing.T) {
	for name, want := range map[string]string{
		"sda1": "sda", "vdb12": "vdb", "xvda1": "xvda", "nvme0n1p2": "nvme0n1", "mmcblk0p1": "mmcblk0", "loop3p1": "loop3", "cciss/c0d0p1": "cciss/c0d0",
		"sda": "", "vdfiw": "", "dm-0": "", "loop3": "", "md0": "", "nvme0n1": "", "p1": "", "1": "", "": "",
	} {
		if got := DiskOf(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// FuzzBlockDevice: a partition's disk has another name, and a counter is a
// number.
func FuzzBlockDevice(f *testing.F) {
	f.Add("8:1", "../../devices/pci0000:00/block/sda/sda1")
	f.Add("write_errs 1\nread_errs 18446744073709551615\n", "nvme0n1p1")
	f.Fuzz(func(t *testing.T, number, target string) {
		if d, ok := parseBlockLink(number, target); ok && (d.Name == "" || strings.Contains(d.Name, "!") || !isDeviceNumber(d.Number)) {
			t.Errorf("got %+v", d)
		}
		if disk := DiskOf(target); disk != "" && (disk == target || !strings.HasPrefix(target, disk)) {
			t.Errorf("%q is on %q", target, disk)
		}
		parseBtrfsStats(number)
	})
}
