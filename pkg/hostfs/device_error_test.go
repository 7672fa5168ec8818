package hostfs

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestDeviceErrors(t *testing.T) {
	for text, want := range map[string]string{
		"EXT4-fs error (device vdfiw): ext4_find_entry:1455: inode #2: comm java: reading directory lblock 0":                    "vdfiw",
		"EXT4-fs error (device vdb) in ext4_reserve_inode_write:5755: IO failure":                                                "vdb",
		"EXT4-fs warning (device vdb): ext4_end_bio:343: I/O error 10 writing to inode 12 starting block 8)":                     "vdb",
		"EXT4-fs (vdfiw): Remounting filesystem read-only":                                                                       "vdfiw",
		"EXT4-fs (dm-0): I/O error while writing superblock":                                                                     "dm-0",
		"EXT4-fs (sda1): error count since last fsck: 5":                                                                         "sda1",
		"EXT4-fs (sda1): warning: mounting fs with errors, running e2fsck is recommended":                                        "sda1",
		"EXT4-fs (vda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro":                                     "",
		"EXT4-fs (vda1): re-mounted. Opts: errors=remount-ro,data=ordered":                                                       "",
		"EXT4-fs (vda1): unmounting filesystem 5b0f0b1c-0000-4000-8000-000000000000.":                                            "",
		"EXT4-fs (vda1): recovery complete":                                                                                      "",
		"XFS (dm-3): metadata I/O error in \"xfs_trans_read_buf_map+0xb4/0x1b0\" at daddr 0x2 len 1 error 5":                     "dm-3",
		"XFS (dm-3): log I/O error -5":                                                                                           "dm-3",
		"XFS (dm-3): xfs_do_force_shutdown(0x2) called from line 1250 of file fs/xfs/xfs_log.c.":                                 "dm-3",
		"XFS (dm-3): Log I/O Error Detected. Shutting down filesystem":                                                           "dm-3",
		"XFS (dm-3): Filesystem has been shut down due to log error (0x2).":                                                      "dm-3",
		"XFS (dm-3): Metadata CRC error detected at xfs_agf_read_verify":                                                         "dm-3",
		"XFS (dm-3): xfs_log_force: error -5 returned.":                                                                          "dm-3",
		"XFS (dm-3): Mounting V5 Filesystem":                                                                                     "",
		"XFS (dm-3): Ending clean mount":                                                                                         "",
		"BTRFS error (device sdb): bdev /dev/sdb errs: wr 1, rd 0, flush 0, corrupt 0, gen 0":                                    "sdb",
		"BTRFS error (device sdb state EA): remounting read-only":                                                                "sdb",
		"BTRFS: error (device sdb: state A) in btrfs_commit_transaction:2418: errno=-5 IO failure":                               "sdb",
		"BTRFS warning (device sdb): csum failed root 5 ino 257 off 0 csum 0x1 expected csum 0x2 mirror 1":                       "sdb",
		"BTRFS info (device sdb): using free space tree":                                                                         "",
		"FAT-fs (sdb1): error, fat_get_cluster: invalid cluster chain (i_pos 0)":                                                 "sdb1",
		"FAT-fs (sdb1): Volume was not properly unmounted. Some data may be corrupt. Please run fsck.":                           "sdb1",
		"FAT-fs (sdb1): utf8 is not a recommended IO charset for FAT filesystems":                                                "",
		"JBD2: Error -5 detected when updating journal superblock for vdfiw-8.":                                                  "vdfiw",
		"JBD2: Error -5 detected when updating journal superblock for dm-0-8.":                                                   "dm-0",
		"JBD2: Detected IO errors while flushing file data on vdfiw-8":                                                           "vdfiw",
		"JBD2: I/O error when updating journal superblock for cciss!c0d0-8.":                                                     "cciss/c0d0",
		"Aborting journal on device vdfiw-8.":                                                                                    "vdfiw",
		"JBD2: Invalid start block of journal: 0":                                                                                "",
		"Buffer I/O error on dev vdfiw, logical block 4, lost async page write":                                                  "vdfiw",
		"Buffer I/O error on device vdfiw, logical block 4":                                                                      "vdfiw",
		"lost page write due to I/O error on vdfiw":                                                                              "vdfiw",
		"dm-3: writeback error on inode 131, offset 0, sector 2048":                                                              "dm-3",
		"blk_update_request: I/O error, dev vdfiw, sector 16":                                                                    "vdfiw 16",
		"end_request: I/O error, dev sdc, sector 0":                                                                              "sdc 0",
		"print_req_error: I/O error, dev sda, sector 12345678901":                                                                "sda 12345678901",
		"I/O error, dev sda, sector 8 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2":                                        "sda 8",
		"blk_update_request: critical medium error, dev sda, sector 8 op 0x0:(READ) flags 0x80700 phys_seg 1":                    "sda 8",
		"critical space allocation error, dev dm-2, sector 8":                                                                    "dm-2 8",
		"blk_update_request: operation not supported error, dev loop1, sector 0 op 0x9:(WRITE_ZEROES) flags 0x1000800":           "",
		"critical target error, dev sdb, sector 2048 op 0x3:(DISCARD) flags 0x800":                                               "",
		"I/O error, dev ../../x y, sector 8":                                                                                     "",
		"sd 0:0:0:0: [sda] tag#3 Sense Key : Medium Error [current] ":                                                            "sda",
		"sd 0:0:0:0: [sda] tag#3 Sense Key : Illegal Request [current] ":                                                         "",
		"sd 2:0:0:0: [sdb] Synchronize Cache(10) failed: Result: hostbyte=DID_NO_CONNECT driverbyte=DRIVER_OK":                   "sdb",
		"sd 0:0:0:0: [sda] tag#3 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_SENSE":                                         "",
		"sd 0:0:0:0: [sda] Asking for cache data failed":                                                                         "",
		"sd 0:0:0:0: rejecting I/O to offline device":                                                                            "",
		"sd 0:0:0:0: [sda] killing request, offline":                                                                             "sda",
		"nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0x10":                                           "nvme0 controller",
		"nvme nvme1: I/O 12 QID 3 timeout, aborting":                                                                             "nvme1 controller",
		"nvme nvme0: Shutdown timeout set to 10 seconds":                                                                         "",
		"nvme nvme0: 8/0/0 default/read/poll queues":                                                                             "",
		"nvme0n1: Read(0x2) @ LBA 0, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) MORE":                                  "nvme0n1",
		"vdfiw: detected capacity change from 5368709120 to 0":                                                                   "vdfiw",
		"loop0: detected capacity change from 0 to 2097152":                                                                      "",
		"EXT4-fs (loop17): failed to convert unwritten extents to written extents -- potential data loss!  (inode 13, error -5)": "loop17",
		"vdfiw: rw=1, want=12, limit=0":                                                                                          "vdfiw",
		"vdfiw: rw=2049, sector=66600, nr_sectors = 2 limit=0":                                                                   "vdfiw",
		"mce: [Hardware Error]: Machine check events logged":                                                                     "",
		"EXT4-fs error (device ": "",
	} {
		e, ok := ParseDeviceError(text)
		got := ""
		if ok {
			got = e.Name
		}
		if e.Sector >= 0 {
			got = strings.TrimSpace(strings.Join([]string{got, strconv.FormatInt(e.Sector, 10)}, " "))
		}
		if e.Controller {
			got += " controller"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestDeviceStarts(t *testing.T) {
	for text, want := range map[string]string{
		"EXT4-fs (vdfiw): mounted filesystem with ordered data mode. Opts: errors=remount-ro": "vdfiw",
		"EXT4-fs (loop17): mounted filesystem 99643c75 r/w with ordered data mode":            "loop17",
		"EXT4-fs (vda1): re-mounted. Opts: (null)":                                            "",
		"EXT4-fs (vda1): unmounting filesystem 99643c75.":                                     "",
		"XFS (dm-3): Mounting V5 Filesystem":                                                  "dm-3",
		"XFS (dm-3): Unmounting Filesystem":                                                   "",
		"BTRFS info (device sdb): first mount of filesystem 5b0f":                             "sdb",
		"vdfiw: detected capacity change from 0 to 5368709120":                                "vdfiw",
		"vdfiw: detected capacity change from 5368709120 to 0":                                "",
		"sd 2:0:0:0: [sdb] Attached SCSI disk":                                                "sdb",
		"sd 2:0:0:0: [sdb] 2048 512-byte logical blocks: (1.05 MB/1.00 MiB)":                  "", // also once it has grown
		"virtio_blk virtio5: [vdb] new size: 16384 512-byte logical blocks (8.39 MB)":         "",
		"sd 2:0:0:0: [sdb] Write Protect is off":                                              "",
		"virtio_blk virtio5: [vdb] 16384 512-byte logical blocks (8.39 MB/8.00 MiB)":          "vdb",
		"": "",
	} {
		if got, ok := ParseDeviceStart(text); got != want || ok != (want != "") {
			t.Errorf("%s: got %q %v", text, got, ok)
		}
	}
}

func TestKernelLogOddities(t *testing.T) {
	for name, c := range map[string]struct {
		log  string
		want []KernelLine
	}{
		"plain":               {"<3>[    1.234567] a [b] c\n", []KernelLine{{1.234567, 3, false, "a [b] c"}}},
		"caller":              {"<6>[   12.300000][  T123] x\n<6>[   12.300000][    C0] y\n", []KernelLine{{12.3, 6, false, "x"}, {12.3, 6, false, "y"}}},
		"no times":            {"<6>[sda] x\n<4>[T1] y\n", []KernelLine{{-1, 6, false, "[sda] x"}, {-1, 4, false, "y"}}},
		"of a process":        {"<14>[    5.000000] EXT4-fs error (device vda): x\n<30>[    6.000000] systemd[1]: y\n", []KernelLine{{5, 6, true, "EXT4-fs error (device vda): x"}, {6, 6, true, "systemd[1]: y"}}},
		"torn first line":     {"c: end\n<6>[    1.000000] x\n", []KernelLine{{1, 6, false, "x"}}},
		"as dmesg has it":     {"[    1.000000] x\n\ny", []KernelLine{{1, -1, false, "x"}, {-1, -1, false, "y"}}},
		"a record of two":     {"<4>[    7.000000] first\n<4>[    7.000000]  second\n", []KernelLine{{7, 4, false, "first"}, {7, 4, false, " second"}}},
		"no number, no stamp": {"<x>[1.x] y\n<99999>z\n", []KernelLine{{-1, -1, false, "<x>[1.x] y"}, {-1, -1, false, "<99999>z"}}},
		"nothing":             {"", nil},
	} {
		var got []KernelLine
		EachKernelLine(c.log, func(l KernelLine) { got = append(got, l) })
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// FuzzKernelLog: whatever stands in the log, no line makes two, and a device's
// name is one.
func FuzzKernelLog(f *testing.F) {
	f.Add("<3>[    1.234567][  T1] blk_update_request: I/O error, dev vdfiw, sector 16\n")
	f.Add("x\n<3>[1.0] EXT4-fs error (device vdfiw): y\n<6>JBD2: Error -5 for vdb-8.")
	f.Add("<4>nvme nvme0: I/O 1 timeout, x\nsd 0: [sda] Medium Error\nXFS (dm-1): shut down")
	f.Fuzz(func(t *testing.T, log string) {
		lines := 0
		EachKernelLine(log, func(l KernelLine) {
			lines++
			if e, ok := ParseDeviceError(l.Text); ok && (!isDeviceName(e.Name) || e.Sector < -1 || strings.Contains(e.Name, "!")) {
				t.Errorf("%q: got %+v", l.Text, e)
			}
			if name, ok := ParseDeviceStart(l.Text); ok && !isDeviceName(name) {
				t.Errorf("%q: got %q", l.Text, name)
			}
		})
		if lines > strings.Count(log, "\n")+1 {
			t.Errorf("%d lines", lines)
		}
	})
}
