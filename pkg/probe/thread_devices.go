//go:build linux

package probe

import (
	"sort"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxThreadDevices  = 1024 // reported in all
	maxGuesses        = 8    // for one thread
	maxMountsOfDevice = 64
)

// threadDevices joins kernel threads with devices, and devices with mounts.
type threadDevices struct {
	threads []*report.Process
	found   map[string][]*report.ThreadDevice
	fstypes map[string]map[string]bool // of the threads whose name has no device
}

// devices finds the devices of the asked kernel threads and where these are
// mounted. A device that was pulled while it was mounted is in mountinfo only.
func (b *background) devices() {
	d := &threadDevices{found: map[string][]*report.ThreadDevice{}, fstypes: map[string]map[string]bool{}}
	for _, p := range b.byPID {
		if p.Kernel && p.Detail != nil {
			d.threads = append(d.threads, p)
			if t := hostfs.ThreadFSType(p.Comm); t != "" {
				d.fstypes[t] = map[string]bool{}
			}
		}
	}
	if len(d.threads) == 0 {
		return
	}
	sort.Slice(d.threads, func(i, j int) bool { return d.threads[i].PID < d.threads[j].PID })
	sys, err := hostfs.OpenSys(b.fs)
	if err != nil {
		b.bad.add("/sys", err)
		return
	}
	defer sys.Close()
	list, err := sys.BlockDevices(maxBlockDevices)
	if err != nil && !hostfs.Gone(err) {
		b.bad.add("/sys/dev/block", err)
	}
	d.match(list)
	pid, _ := b.mountPID(b.proc)
	if _, err := b.proc.EachMountLineOf(pid, d.mount); err != nil {
		b.bad.add("/proc/PID/mountinfo", err)
	}
	b.out.Devices = d.list(b, sys)
	for fstype, devices := range d.fstypes {
		b.out.Mounted = append(b.out.Mounted, report.Counted{Name: fstype, Count: len(devices)})
	}
	sort.Slice(b.out.Mounted, func(i, j int) bool { return b.out.Mounted[i].Name < b.out.Mounted[j].Name })
}

// match notes which threads are a device's.
func (d *threadDevices) match(list []hostfs.BlockDevice) {
	for _, dev := range list {
		d.found[dev.Number] = nil
	}
	index := hostfs.NewDeviceIndex(list)
	for _, p := range d.threads {
		for _, of := range index.Of(p.Comm) {
			dev := list[of.Device]
			d.found[dev.Number] = append(d.found[dev.Number], &report.ThreadDevice{PID: p.PID, Name: report.Escape(dev.Name), Number: report.Escape(dev.Number), Guessed: of.Guessed})
		}
	}
}

func (d *threadDevices) mount(m *hostfs.MountLine) {
	number, fstype, source := hostfs.DeviceNumber(m.Major, m.Minor), string(m.FSType), hostfs.Unmangle(m.Source)
	name, onDev := strings.CutPrefix(source, "/dev/")
	if _, seen := d.found[number]; !seen && onDev && len(d.found) < maxBlockDevices {
		d.match([]hostfs.BlockDevice{{Name: name, Number: number}})
	}
	if devices := d.fstypes[fstype]; devices != nil && len(devices) < maxBlockDevices {
		devices[number] = true
	}
	for _, t := range d.found[number] {
		if t.MountsTotal++; len(t.Mounts) < maxMountsOfDevice {
			root := report.Escape(hostfs.Unmangle(m.Root))
			if root == "/" {
				root = ""
			}
			t.Mounts = append(t.Mounts, report.DeviceMount{Point: report.Escape(hostfs.Unmangle(m.Point)), Root: root, FSType: report.Escape(fstype), Source: report.Escape(source)})
		}
	}
}

// list is what was found, by thread. Where a cut name fits several devices the
// mounted ones come first: only those have such threads.
func (d *threadDevices) list(b *background, sys *hostfs.Sys) []report.ThreadDevice {
	var all []report.ThreadDevice
	for _, of := range d.found {
		for _, t := range of {
			t.DMName, t.BackingFile = report.Escape(sys.DMName(t.Name)), report.Escape(sys.BackingFile(t.Name))
			all = append(all, *t)
		}
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		switch mounted := a.MountsTotal > 0; {
		case a.PID != b.PID:
			return a.PID < b.PID
		case mounted != (b.MountsTotal > 0):
			return mounted
		case a.Name != b.Name:
			return a.Name < b.Name
		}
		return a.Number < b.Number
	})
	var kept []report.ThreadDevice
	guesses := 0
	for i, t := range all {
		if i == 0 || all[i-1].PID != t.PID {
			guesses = 0
		}
		if guesses++; guesses > maxGuesses || len(kept) == maxThreadDevices {
			b.bad.add("devices of kernel threads", errTooMany)
			continue
		}
		kept = append(kept, t)
	}
	return kept
}
