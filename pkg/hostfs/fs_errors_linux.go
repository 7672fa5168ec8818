package hostfs

import (
	"path"
	"strconv"
	"strings"
)

// FSErrors is what a filesystem counts of its own errors.
type FSErrors struct {
	Count uint64
	// First and Last are seconds since 1970, 0 where that is not kept.
	First, Last int64
}

// Ext4Errors reads /sys/fs/ext4/DEVICE (Documentation/ABI/testing/sysfs-fs-ext4),
// which ext2 and ext3 have, too, where ext4 mounts them. The counter lasts until
// e2fsck; Linux has it since 4.1.
func (s *Sys) Ext4Errors(device string) (e FSErrors, err error) {
	dir := path.Join("fs/ext4", toSysName(device))
	if e.Count, err = s.number(path.Join(dir, "errors_count")); err != nil || e.Count == 0 {
		return e, err
	}
	first, _ := s.number(path.Join(dir, "first_error_time"))
	last, _ := s.number(path.Join(dir, "last_error_time"))
	e.First, e.Last = int64(first), int64(last)
	return e, nil
}

func (s *Sys) number(name string) (uint64, error) {
	text, err := s.Read(name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(text, 10, 63)
}

// maxBtrfs bounds the filesystems, and the devices of each.
const maxBtrfs = 4096

// BtrfsErrors are the errors of each btrfs by the names of its devices, from
// /sys/fs/btrfs/UUID/devinfo/ID/error_stats (Linux 5.14); nil where the kernel
// does not say. All devices of a filesystem have their sum: an ID is no name.
func (s *Sys) BtrfsErrors() (byDevice map[string]*FSErrors, err error) {
	byDevice = map[string]*FSErrors{}
	all, err := s.Names("fs/btrfs", maxBtrfs)
	for _, uuid := range all {
		dir := path.Join("fs/btrfs", uuid)
		names, err := s.Names(path.Join(dir, "devices"), maxBtrfs)
		if err != nil { // "features"
			continue
		}
		sum := s.btrfsErrors(path.Join(dir, "devinfo"))
		for _, name := range names {
			byDevice[fromSysName(name)] = sum
		}
	}
	return byDevice, err
}

func (s *Sys) btrfsErrors(devinfo string) (sum *FSErrors) {
	ids, err := s.Names(devinfo, maxBtrfs)
	if err != nil {
		return nil
	}
	for _, id := range ids {
		stats, err := s.Read(path.Join(devinfo, id, "error_stats"))
		if err != nil {
			continue
		}
		if sum == nil {
			sum = &FSErrors{}
		}
		sum.Count += parseBtrfsStats(stats)
	}
	return sum
}

// parseBtrfsStats adds up
//
//	write_errs 0
//	read_errs 2
//	flush_errs 0
//	corruption_errs 0
//	generation_errs 0
func parseBtrfsStats(stats string) (sum uint64) {
	for line := range strings.Lines(stats) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseUint(value, 10, 63); err == nil && strings.HasSuffix(name, "_errs") {
			sum += n
		}
	}
	return sum
}
