package hostfs

import "strings"

// filesystemError is of a filesystem, which names its device in brackets:
//
//	EXT4-fs error (device vdfiw): ext4_find_entry:1455: inode #2: comm java: reading directory lblock 0
//	EXT4-fs (vdfiw): Remounting filesystem read-only
//	XFS (dm-3): metadata I/O error in "xfs_trans_read_buf_map" at daddr 0x2 len 1 error 5
//	BTRFS error (device sdb state EA): bdev /dev/sdb errs: wr 1, rd 0, flush 0, corrupt 0, gen 0
//	FAT-fs (sdb1): error, fat_get_cluster: invalid cluster chain
//
// Much that is no error is said in the same form, mount options among them.
func filesystemError(text string) string {
	head, rest, ok := strings.Cut(text, " (")
	if !ok || !isFilesystem(head) {
		return ""
	}
	inside, said, ok := strings.Cut(rest, ")")
	if !ok || !containsAny(head, "error", "critical") && !tellsError(said) {
		return ""
	}
	name := strings.TrimPrefix(inside, "device ")
	if end := strings.IndexAny(name, " :"); end >= 0 { // "sdb: state EA"
		name = name[:end]
	}
	return name
}

func isFilesystem(head string) bool {
	for _, name := range [...]string{"EXT2-fs", "EXT3-fs", "EXT4-fs", "XFS", "BTRFS", "F2FS-fs", "FAT-fs", "exFAT-fs", "bcachefs", "REISERFS"} {
		if rest, ok := strings.CutPrefix(head, name); ok && (rest == "" || rest[0] == ' ' || rest[0] == ':') {
			return true
		}
	}
	return false
}

// tellsError: what a filesystem says of an error of its device, or of what it
// has found on it. "errors=remount-ro" is an option.
func tellsError(said string) bool {
	return containsAny(strings.ToLower(said), "i/o error", "io error", ": error,", "error -", "error detected", "crc error", "checksum error",
		"csum failed", "checksum verify failed", "internal error", "previous errors", "fs with errors", "error count since last fsck", "initial error at", "last error at",
		"corrupt", "remounting filesystem read-only", "set read-only", "forced readonly", "shut down", "shutdown", "shutting down",
		"data will be lost", "data loss", "block allocation failed", "unable to read", "unable to write", "writeback error")
}

// journalError is of ext4's journal, whose name is its device's with a number:
//
//	JBD2: Error -5 detected when updating journal superblock for vdfiw-8.
//	Aborting journal on device vdfiw-8.
func journalError(text string) string {
	_, ok := strings.CutPrefix(text, "Aborting journal on device ")
	if !ok && (!strings.HasPrefix(text, "JBD") || !strings.Contains(text, "rror")) {
		return ""
	}
	name := strings.TrimSuffix(text[strings.LastIndexByte(text, ' ')+1:], ".")
	if at := strings.LastIndexByte(name, '-'); at > 0 && isDecimal(name[at+1:]) && name[:at] != "dm" {
		name = name[:at]
	}
	return name
}
