//go:build linux

package probe

import (
	"os"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxDaemons bounds the runtimes' daemons: a node may run docker beside containerd.
const maxDaemons = 8

// daemon is the kubelet or a runtime's daemon, with the first look at it.
type daemon struct {
	out report.DaemonProcess
	at  time.Time
	// ticks of CPU that it had had then; failed says why they are not known.
	ticks  uint64
	failed error
	// unit is the service that it lives in, log the text of its standard error's link.
	unit, log string
}

// isRuntimeComm: the daemons of container runtimes, by name.
func isRuntimeComm(comm string) bool {
	switch comm {
	case "containerd", "dockerd", "dockerd-current", "crio", "cri-dockerd":
		return true
	}
	return false
}

// findDaemons looks at the kubelet, and at the runtimes' daemons of the host.
func (k *kubelet) findDaemons() {
	list := k.report.Processes.List
	own := k.process(k.out.PID)
	k.daemons = append(k.daemons, k.firstLook(own))
	onHost := !k.contained(own, true) // else the node is a container itself (kind)
	for i := range list {
		p := &list[i]
		if isRuntimeComm(p.Comm) && p.State != "Z" && !p.Blocked && len(k.daemons) < maxDaemons && !k.contained(p, onHost) {
			k.daemons = append(k.daemons, k.firstLook(p))
		}
	}
}

func (k *kubelet) firstLook(p *report.Process) daemon {
	d := daemon{out: report.DaemonProcess{PID: p.PID, Comm: p.Comm}}
	d.failed = k.look(&d)
	if p.Cgroup >= 0 {
		d.unit = report.Unescape(k.report.Processes.Cgroups[p.Cgroup].Unit())
	}
	d.log, _ = k.proc.Readlink(p.PID, "fd/2") // "": no file is known
	if n, err := hostfs.NewFDCounter(k.proc).Count(p.PID); err == nil {
		d.out.FDs = &n
	}
	return d
}

// look reads what a daemon uses now.
func (k *kubelet) look(d *daemon) error {
	b, err := k.proc.ReadPID(d.out.PID, "stat")
	if err != nil {
		return err
	}
	d.at = time.Now()
	s, err := hostfs.ParseStat(b)
	if err != nil {
		return errTorn
	}
	if d.ticks, err = hostfs.ParseCPUTicks(b); err != nil {
		return errTorn
	}
	d.out.StartTicks, d.out.RSSBytes, d.out.Threads = s.StartTicks, s.RSSPages*int64(os.Getpagesize()), s.Threads
	return nil
}

// sampleDaemons looks for the second time.
func (k *kubelet) sampleDaemons() {
	k.daemons = append([]daemon{}, k.daemons...)
	for i := range k.daemons {
		d := &k.daemons[i]
		first := *d
		if first.failed != nil {
			k.bad.add("/proc/PID/stat", first.failed)
			continue
		}
		err := k.look(d)
		if err == nil && d.out.StartTicks != first.out.StartTicks || err != nil && hostfs.Gone(err) {
			err = errRestarted
		}
		if err != nil {
			k.bad.add("/proc/PID/stat", err)
		} else {
			took := d.at.Sub(first.at)
			percent := seconds(d.ticks-min(first.ticks, d.ticks)) / took.Seconds() * 100
			d.out.CPUPercent, d.out.SampleMillis = &percent, took.Milliseconds()
		}
		k.out.Daemons = append(k.out.Daemons, d.out)
	}
}
