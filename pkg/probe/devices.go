//go:build linux

package probe

import (
	"context"
	"sort"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const maxBlockDevices = 65_536

// devices are the block devices that somebody mounts or works for.
type devices struct {
	run
	sys *hostfs.Sys
	bad unreadable
	// all are those of sysfs and those that are gone; of tells what is reported
	// of them, by their index.
	all      []hostfs.BlockDevice
	of       []*device
	byNumber map[string]int
	// complete: what is not in sysfs is gone.
	complete bool
	listed   int
}

type device struct {
	report.Device
	block   hostfs.BlockDevice
	fstypes []string // of what is mounted
}

func collectDevices(ctx context.Context, r run) (publish, error) {
	sys, err := hostfs.OpenSys(r.fs)
	if err != nil {
		return nil, err
	}
	defer sys.Close()
	d := &devices{run: r, sys: sys, bad: unreadable{}, byNumber: map[string]int{}}
	all, err := sys.BlockDevices(maxBlockDevices)
	if d.complete = err == nil; err != nil {
		d.bad.add("/sys/dev/block", err)
	}
	for _, b := range all {
		d.add(b)
	}
	d.mounted()
	d.addThreads()
	uses, err := d.detached(ctx)
	if err != nil {
		return nil, err
	}
	out := &report.Devices{List: make([]report.Device, 0, d.listed), Detached: uses}
	btrfs := d.btrfs()
	for _, dev := range d.of {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if dev != nil {
			d.read(dev)
			d.fsErrors(dev, btrfs)
		}
	}
	d.addLog()
	for _, dev := range d.of {
		if dev != nil {
			out.List = append(out.List, dev.Device)
		}
	}
	sort.Slice(out.List, func(i, j int) bool { return lowerNumber(out.List[i], out.List[j]) })
	out.Unreadable = d.bad.list()
	return func(r *run) { r.report.Devices = out }, nil
}

// lowerNumber: by major, minor, and name.
func lowerNumber(a, b report.Device) bool {
	aMajor, aMinor, _ := strings.Cut(a.Number, ":")
	bMajor, bMinor, _ := strings.Cut(b.Number, ":")
	for _, pair := range [...][2]string{{aMajor, bMajor}, {aMinor, bMinor}} {
		if len(pair[0]) != len(pair[1]) {
			return len(pair[0]) < len(pair[1])
		}
		if pair[0] != pair[1] {
			return pair[0] < pair[1]
		}
	}
	return a.Name < b.Name
}

// add gives a device's index.
func (d *devices) add(b hostfs.BlockDevice) int {
	d.all, d.of = append(d.all, b), append(d.of, nil)
	d.byNumber[b.Number] = len(d.all) - 1
	return len(d.all) - 1
}

// list is what is reported of a device; nil: there are too many.
func (d *devices) list(i int) *device {
	if d.of[i] == nil {
		if d.listed == maxBlockDevices {
			d.bad.add("block devices", errTooMany)
			return nil
		}
		d.listed++
		b := d.all[i]
		d.of[i] = &device{block: b, Device: report.Device{Number: report.Escape(b.Number), Name: report.Escape(b.Name)}}
	}
	return d.of[i]
}

// read asks sysfs.
func (d *devices) read(dev *device) {
	name := dev.block.Name
	if dev.Gone || name == "" {
		return
	}
	size, err := d.sys.SizeBytes(name)
	switch {
	case err == nil:
		dev.SizeBytes = &size
	case !hostfs.Gone(err) || d.complete:
		d.bad.add("/sys/class/block/DEVICE/size", err)
	}
	dev.State = report.Escape(d.sys.State(dev.block))
	dev.DMName, dev.BackingFile = report.Escape(d.sys.DMName(name)), report.Escape(d.sys.BackingFile(name))
}

// btrfs reads the errors of all btrfs, where one is mounted.
func (d *devices) btrfs() map[string]*hostfs.FSErrors {
	for _, dev := range d.of {
		if dev != nil && dev.mounts("btrfs") {
			errs, err := d.sys.BtrfsErrors()
			if err != nil && !hostfs.Gone(err) {
				d.bad.add("/sys/fs/btrfs", err)
			}
			return errs
		}
	}
	return nil
}

// fsErrors: the directory of a filesystem is there as long as it is mounted,
// though its disk be gone.
func (d *devices) fsErrors(dev *device, btrfs map[string]*hostfs.FSErrors) {
	if dev.mounts("btrfs") {
		if e := btrfs[dev.block.Name]; e != nil {
			dev.FSErrors = &e.Count
		}
		return
	}
	if dev.block.Name == "" || !dev.mounts("ext4") && !dev.mounts("ext3") && !dev.mounts("ext2") {
		return
	}
	e, err := d.sys.Ext4Errors(dev.block.Name)
	switch {
	case err == nil:
		dev.FSErrors, dev.FirstErrorAt, dev.LastErrorAt = &e.Count, e.First, e.Last
	case !hostfs.Gone(err):
		d.bad.add("/sys/fs/ext4/DEVICE/errors_count", err)
	}
}

func (dev *device) mounts(fstype string) bool {
	for _, t := range dev.fstypes {
		if t == fstype {
			return true
		}
	}
	return false
}

// nameOfSource is a device's in the kernel by the source of its mount; "" where that
// is another name of it.
func nameOfSource(source string) string {
	name, ok := strings.CutPrefix(source, "/dev/")
	first, _, below := strings.Cut(name, "/")
	if !ok || below && first != "cciss" && first != "ida" && first != "rd" {
		return ""
	}
	return name
}

// isAnonymous: the number is no device's: btrfs, overlay, tmpfs, NFS.
func isAnonymous(number string) bool { return strings.HasPrefix(number, "0:") }

// seconds since boot, of Process.StartTicks.
func seconds(ticks uint64) float64 { return float64(ticks) / userHz }
