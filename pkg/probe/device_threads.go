//go:build linux

package probe

import (
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// sameName are the kernel threads of one name.
type sameName struct {
	count int
	since uint64 // the oldest's start, 0 where none is known
}

// addThreads joins kernel threads with devices. Those that are no device's own,
// workers and a controller's interrupts, are left out.
func (d *devices) addThreads() {
	names := map[string]sameName{}
	reserved := 0 // ext4-rsv-conver, one for each ext4
	for _, t := range d.kernelThreads {
		n := names[t.comm]
		n.count++
		if t.start > 0 && (n.since == 0 || t.start < n.since) {
			n.since = t.start
		}
		names[t.comm] = n
		if hostfs.ThreadFSType(t.comm) == "ext4" {
			reserved++
		}
	}
	comms := make([]string, 0, len(names))
	for comm := range names {
		comms = append(comms, comm)
	}
	sort.Strings(comms)
	index := hostfs.NewDeviceIndex(d.all)
	for _, comm := range comms {
		d.share(names[comm], d.candidates(index.Of(comm)))
	}
	d.addReserved(reserved)
}

// candidates are the devices that threads of a name may work for: those that it
// names in full before those that a cut name fits, and of either those that are
// mounted, since others have few.
func (d *devices) candidates(found []hostfs.ThreadDevice) (list []int) {
	best := 0
	for _, f := range found {
		if f.Shared {
			continue
		}
		rank := 1
		if !f.Guessed {
			rank += 2
		}
		if dev := d.of[f.Device]; dev != nil && len(dev.fstypes) > 0 {
			rank++
		}
		switch {
		case rank > best:
			best, list = rank, append(list[:0], f.Device)
		case rank == best:
			list = append(list, f.Device)
		}
	}
	return list
}

// share gives the threads of a name to the devices that it fits, where they come
// out even. Else nobody can tell, and they are only the node's.
func (d *devices) share(threads sameName, among []int) {
	for _, i := range among {
		even := threads.count%len(among) == 0
		if !even && d.of[i] == nil {
			continue
		}
		dev := d.list(i)
		if dev == nil {
			return
		}
		dev.Guessed = dev.Guessed || len(among) > 1
		if !even {
			continue
		}
		dev.Threads += threads.count / len(among)
		if threads.since > 0 && (dev.ThreadsSince == 0 || threads.since < dev.ThreadsSince) {
			dev.ThreadsSince = threads.since
		}
	}
}

// addReserved: where there are as many of these threads as ext4 is mounted, each
// has one.
func (d *devices) addReserved(threads int) {
	var ext4 []*device
	for _, dev := range d.of {
		if dev != nil && dev.mounts("ext4") {
			ext4 = append(ext4, dev)
		}
	}
	if len(ext4) != threads {
		return
	}
	for _, dev := range ext4 {
		dev.Threads++
	}
}
