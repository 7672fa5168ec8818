//go:build linux

package probe

import (
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// addInotify counts an inotify instance of p.
func (t *table) addInotify(p *report.Process, fd []byte) {
	if p.FDs.Inotify == nil {
		p.FDs.Inotify = &report.Inotify{}
	}
	p.FDs.Inotify.Instances++
	n, err := t.info.watches(p.PID, fd)
	if err != nil {
		t.failed("fdinfo", err, false)
	}
	p.FDs.Inotify.Watches += n
}

// inotifyLimits: a kernel without inotify has none.
func inotifyLimits(proc *hostfs.Proc, bad unreadable) report.InotifyLimits {
	read := func(name string) *uint64 {
		b, err := proc.Read("sys/fs/inotify/" + name)
		if err == nil {
			var n uint64
			if n, err = strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil {
				return &n
			}
		}
		if !hostfs.Gone(err) {
			bad.add("/proc/sys/fs/inotify/"+name, err)
		}
		return nil
	}
	return report.InotifyLimits{MaxInstances: read("max_user_instances"), MaxWatches: read("max_user_watches")}
}
