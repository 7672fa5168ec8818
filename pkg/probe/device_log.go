//go:build linux

package probe

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const maxLogSample = 256

// logSlack is how much earlier than a device's threads a line may seem that is
// about them: a second, and what the log's own clock may be slow by.
func logSlack(since float64) float64 { return 1 + since/10_000 }

// addLog counts the lines of the kernel's log that tell of errors of devices. A
// name is given again once its device is detached: what the log says before it
// tells of this one, and what it says before threads work for it, is about
// another. What processes write there does not count.
func (d *devices) addLog() {
	log, err := hostfs.ReadKernelLog(d.fs)
	if err != nil {
		d.bad.add("kernel log", err)
		return
	}
	byName := d.byLogName()
	hostfs.EachKernelLine(log, func(l hostfs.KernelLine) {
		if l.FromUser {
			return
		}
		if name, ok := hostfs.ParseDeviceStart(l.Text); ok {
			for _, dev := range byName[name] {
				dev.LogErrors, dev.LogSample = 0, ""
			}
			return
		}
		e, ok := hostfs.ParseDeviceError(l.Text)
		if !ok {
			return
		}
		for _, dev := range byName[e.Name] {
			since := seconds(dev.ThreadsSince)
			if since > 0 && l.Seconds >= 0 && l.Seconds < since-logSlack(since) || !d.onPartition(dev, e) {
				continue
			}
			dev.LogErrors++
			dev.LogSample = report.Escape(l.Text[:min(len(l.Text), maxLogSample)])
		}
	})
}

// byLogName are the devices by the names that the log has for them: its own, its
// disk's, and that of an NVMe controller.
func (d *devices) byLogName() map[string][]*device {
	byName := map[string][]*device{}
	for _, dev := range d.of {
		if dev == nil || dev.block.Name == "" {
			continue
		}
		name, disk := dev.block.Name, dev.block.Disk
		if disk == "" && dev.Gone {
			disk = hostfs.DiskOf(name)
		}
		byName[name] = append(byName[name], dev)
		if disk != "" {
			byName[disk] = append(byName[disk], dev)
		}
		if number, ok := strings.CutPrefix(name, "nvme"); ok {
			controller := "nvme" + number[:len(number)-len(strings.TrimLeft(number, "0123456789"))]
			byName[controller] = append(byName[controller], dev)
		}
	}
	return byName
}

// onPartition: errors of a disk's sector are those of the partition around it.
func (d *devices) onPartition(dev *device, e hostfs.DeviceError) bool {
	if e.Name == dev.block.Name || e.Sector < 0 || dev.Gone {
		return true
	}
	start, size, err := d.sys.Sectors(dev.block.Name)
	return err != nil || uint64(e.Sector) >= start && uint64(e.Sector) < start+size
}
