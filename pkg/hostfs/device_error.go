package hostfs

import (
	"strconv"
	"strings"
)

// DeviceError is a line of the kernel's log that tells of a device's error.
type DeviceError struct {
	Name string // "vdfiw", "nvme0" of an NVMe controller, all whose devices it is about
	// Sector of 512 bytes from the start of the disk that Name is; -1: not said.
	Sector int64
	// Controller: Name is not a device's.
	Controller bool
}

// maxDeviceName is BDEVNAME_SIZE of include/linux/blkdev.h.
const maxDeviceName = 32

// ParseDeviceError knows the lines of the block layer, of SCSI and NVMe, and of
// the filesystems, from 3.10 to today's.
func ParseDeviceError(text string) (e DeviceError, ok bool) {
	e.Sector = -1
	for _, rule := range [...]func(string) string{filesystemError, journalError, bufferError, scsiError, capacityError} {
		if e.Name = fromSysName(rule(text)); isDeviceName(e.Name) {
			return e, true
		}
	}
	if e.Name, e.Sector = blockError(text); isDeviceName(e.Name) {
		return e, true
	}
	e.Sector = -1
	e.Name, e.Controller = nvmeError(text)
	return e, isDeviceName(e.Name)
}

func isDeviceName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("-_./:", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= maxDeviceName
}

// blockError is of the block layer; whose requests are those of a whole disk:
//
//	blk_update_request: I/O error, dev vdfiw, sector 16      end_request: before 3.19
//	critical medium error, dev sda, sector 8 op 0x0:(READ) flags 0x80700
//
// What a disk merely does not know to do is no error.
func blockError(text string) (name string, sector int64) {
	_, rest, ok := strings.Cut(text, " error, dev ")
	if !ok || containsAny(text, "operation not supported", "(DISCARD)", "(WRITE_ZEROES)", "(SECURE_ERASE)") {
		return "", -1
	}
	name, rest, _ = strings.Cut(rest, ",")
	rest, ok = strings.CutPrefix(rest, " sector ")
	number, _, _ := strings.Cut(rest, " ")
	sector, err := strconv.ParseInt(strings.TrimSuffix(number, ","), 10, 64)
	if !ok || err != nil {
		sector = -1
	}
	return name, sector
}

// bufferError is of the page cache:
//
//	Buffer I/O error on dev vdfiw, logical block 4, lost async page write
//	Buffer I/O error on device vdfiw, logical block 4     before 4.0
//	lost page write due to I/O error on vdfiw
//	dm-3: writeback error on inode 12, offset 0, sector 8
//	vdfiw: rw=1, want=12, limit=0     beyond the end of a disk that was taken away
func bufferError(text string) string {
	if rest, ok := strings.CutPrefix(text, "Buffer I/O error on dev"); ok {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(rest, "ice"), " "), ",")
		return name
	}
	if rest, ok := strings.CutPrefix(text, "lost page write due to I/O error on "); ok {
		return rest
	}
	if name, _, ok := strings.Cut(text, ": writeback error on inode "); ok {
		return name
	}
	if name, said, ok := strings.Cut(text, ": rw="); ok && strings.Contains(said, " limit=") {
		return name
	}
	return ""
}

// capacityError: "vdfiw: detected capacity change from 5368709120 to 0" is a
// disk that was taken away.
func capacityError(text string) string {
	name, rest, ok := strings.Cut(text, ": detected capacity change from ")
	if !ok || !strings.HasSuffix(rest, " to 0") {
		return ""
	}
	return name
}

// scsiError: "sd 0:0:0:0: [sda] Sense Key : Medium Error [current]"; what a disk
// refuses to do, and how it introduces itself, is no error.
func scsiError(text string) string {
	if !strings.HasPrefix(text, "sd ") {
		return ""
	}
	_, rest, _ := strings.Cut(text, "[")
	name, said, ok := strings.Cut(rest, "]")
	failed := strings.Contains(said, "hostbyte=DID_") && !strings.Contains(said, "hostbyte=DID_OK")
	if !ok || !failed && !containsAny(strings.ToLower(said), "medium error", "hardware error", "unrecovered", "offline", "rejecting i/o", "i/o error") {
		return ""
	}
	return name
}

// nvmeError is of a controller or, since 5.15, of a device:
//
//	nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0x10
//	nvme nvme0: I/O 12 QID 3 timeout, aborting
//	nvme0n1: Read(0x2) @ LBA 0, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81)
func nvmeError(text string) (name string, controller bool) {
	if rest, ok := strings.CutPrefix(text, "nvme nvme"); ok {
		name, said, _ := strings.Cut(rest, ": ")
		if isDecimal(name) && containsAny(said, "controller is down", " timeout, ", "Removing after", "Disabling device after", "Device not ready", "starting error recovery") {
			return "nvme" + name, true
		}
		return "", false
	}
	if name, said, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(name, "nvme") && strings.Contains(said, " @ LBA ") && strings.Contains(said, "(sct ") {
		return name, false
	}
	return "", false
}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
