package incidents

import (
	"context"
	"strings"
)

// BrokenDisk is a filesystem on a device-mapper device, whose disk Break takes
// away underneath: the device stays, and all that is read or written fails. It
// needs a kernel with device-mapper, and dmsetup.
type BrokenDisk struct {
	c           *Cluster
	node, point string
	Name        string // of the device-mapper device
	Number      string // of the device, as mountinfo has it
}

// NewBrokenDisk mounts one that is whole yet.
func (c *Cluster) NewBrokenDisk(ctx context.Context, u *Undo, node, name, point string) (*BrokenDisk, error) {
	d := &BrokenDisk{c: c, node: node, point: point, Name: name}
	image := "/var/lib/" + name + ".img"
	u.onNode(c, node, "losetup -nO NAME --associated "+image+" | xargs -r losetup -d; rm -f "+image)
	u.onNode(c, node, "! test -e /dev/mapper/"+name+" || dmsetup remove --retry "+name)
	u.unmount(c, node, point)
	number, err := c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "$3"
truncate -s 8M "$2"
mkfs.ext4 -q -F -E lazy_itable_init=0 "$2"
modprobe dm-mod
loop=$(losetup --find --show "$2")
dmsetup create "$1" --table "0 $(blockdev --getsz $loop) linear $loop 0"
mount "/dev/mapper/$1" "$3"
findmnt -nro MAJ:MIN --mountpoint "$3"`, "sh", name, image, point)
	d.Number = strings.TrimSpace(number)
	return d, err
}

// Break has every read and write fail from now on, and the filesystem notice.
func (d *BrokenDisk) Break(ctx context.Context) error {
	_, err := d.c.OnNode(ctx, d.node, "sh", "-ec", `dmsetup suspend "$1"
dmsetup load "$1" --table "0 $(dmsetup table "$1" | cut -d ' ' -f 2) error"
dmsetup resume "$1"
dd if=/dev/zero of="$2/lost" bs=4096 count=1 conv=fsync 2>/dev/null || true
dd if=/dev/zero of="$2/lost" bs=4096 count=1 conv=fsync 2>/dev/null || true
test "$(cat /sys/fs/ext4/$(basename $(readlink /sys/dev/block/$3))/errors_count)" -gt 0`, "sh", d.Name, d.point, d.Number)
	return err
}
