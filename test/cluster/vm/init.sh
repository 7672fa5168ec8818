#!/bin/busybox sh
# The first program of a virtual machine: makes its disk reachable, unpacks onto it what is this machine's own, and
# hands over to systemd.
busybox mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
busybox mount -t proc proc /proc
for module in /modules/*; do
	busybox insmod "$module"
done
fail() {
	echo "failed to $1"
	busybox poweroff -f
}
busybox mount -t ext4 -o noatime /dev/vda /root || fail "mount the disk"
busybox tar -xf /dev/vdb -C /root || fail "unpack the configuration"
busybox umount /proc
exec busybox switch_root /root /sbin/init
